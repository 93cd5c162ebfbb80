import Networks
import Tensors
import Training

/// A U-Net whose features register two patches: its bottlenecks by an affine map, its finest features by a flow. It also
/// restores the altered patch.
///
/// Parts: those of the U-Net, `affine`, `deformation`, `flow`, `restoration`, `image`.
public struct ShapeRegistration: PretextLearner {
    /// The sizes of the heads.
    public struct Widths: Hashable, Sendable {
        /// Channels of the affine head.
        public var affine = 256
        /// Channels of the head that makes the flow.
        public var deformation = 16
        /// Channels of the head that restores the image.
        public var restoration = 16
    }

    /// What is pre-trained.
    public let unet: UNet
    /// From two bottlenecks to an affine map.
    public let affine: AffineHead
    private let deformation: DoubleConvGroupNorm
    private let flow: Conv3D
    private let restoration: ConvGroupNorm
    private let image: Conv3D
    private let cpu: CPU

    /// A learner around a U-Net.
    public init(_ unet: UNet, widths: Widths, on cpu: CPU) {
        let (fine, coarse) = (unet.plan.features[0], unet.plan.features[unet.plan.stages - 1])
        (self.unet, self.cpu) = (unet, cpu)
        affine = AffineHead(channels: coarse, width: widths.affine, on: cpu)
        deformation = DoubleConvGroupNorm(inputChannels: 2 * fine, outputChannels: widths.deformation, on: cpu)
        flow = Conv3D(inputChannels: widths.deformation, outputChannels: 3, kernel: 3, on: cpu)
        restoration = ConvGroupNorm(
            inputChannels: fine, outputChannels: widths.restoration, groups: max(1, widths.restoration / 4), on: cpu)
        image = Conv3D(inputChannels: widths.restoration, outputChannels: 1, kernel: 1, on: cpu)
    }

    /// U-Net and heads.
    public var members: [Member] {
        unet.members + [
            .module("affine", affine), .module("deformation", deformation), .module("flow", flow),
            .module("restoration", restoration), .module("image", image),
        ]
    }

    /// The U-Net.
    public var result: any Module { unet }

    /// `1 - correlation(moved B, A) + mean squared error(restored, A) + roughness(flow)`.
    public func loss(_ batch: ShapeViews.Batch, in phase: Phase) -> StepLoss {
        let fixed = batch.fixed.input(on: cpu)
        let registration = registered(batch, in: phase)
        let similarity = localCorrelationLoss(registration.moved, reference: fixed)
        let restored = squaredError(registration.restored, target: fixed)
        let rough = roughness(registration.flow)
        return StepLoss(
            total: add(add(similarity, restored), rough),
            parts: [
                "similarity": Double(similarity.item), "restoration": Double(restored.item),
                "roughness": Double(rough.item),
            ], cases: batch.fixed.names + batch.moving.names)
    }

    /// The moving patch, it moved, the fixed patch; the altered patch and it restored.
    public func previews(of batch: ShapeViews.Batch) -> [Preview] {
        let registration = registered(batch, in: .inference)
        let (moved, restored) = (registration.moved.channelsFirst, registration.restored.channelsFirst)
        return batch.fixed.names.indices.map { sample in
            let painter = SlicePainter(batch.fixed.extent, showing: batch.fixed.patch(sample).image)
            return Preview(
                title:
                    "\(batch.moving.names[sample]), moved onto \(batch.fixed.names[sample]), which is the third; then "
                    + "this altered and restored (slice \(painter.slice))",
                images: [batch.moving.voxels, moved, batch.fixed.voxels, batch.altered.voxels, restored].map {
                    painter.picture($0, sample: sample)
                })
        }
    }

    private func registered(_ batch: ShapeViews.Batch, in phase: Phase) -> (
        moved: Tensor, restored: Tensor, flow: Tensor
    ) {
        let moving = batch.moving.input(on: cpu)
        let (own, other) = (features(batch.altered.input(on: cpu), in: phase), features(moving, in: phase))
        let extent = batch.fixed.extent
        let places = affine(moving: other.bottleneck, fixed: own.bottleneck, in: phase).places(in: extent)
        let aligned = sampleLinearly(other.fine, at: places)
        let flow = flow(deformation(concatenate([aligned, own.fine]), in: phase), in: phase)
        let moved = sampleLinearly(sampleLinearly(moving, at: places), at: add(flow, Self.identity(like: flow)))
        return (moved, image(restoration(own.fine, in: phase), in: phase), flow)
    }

    private func features(_ x: Tensor, in phase: Phase) -> (bottleneck: Tensor, fine: Tensor) {
        let maps = unet.encoder(x, in: phase)
        return (maps[maps.count - 1], unet.decoder.finest(maps, in: phase))
    }

    /// Places that look at themselves, `[N, D, H, W, 3]`.
    static func identity(like flow: Tensor) -> Tensor {
        let extent = flow.shape.extent
        let one = (0..<extent.volume).flatMap { voxel -> [Float] in
            [
                Float(voxel / (extent.height * extent.width)), Float(voxel / extent.width % extent.height),
                Float(voxel % extent.width),
            ]
        }
        return Tensor((0..<flow.shape.samples).flatMap { _ in one }, shape: flow.shape, on: flow.cpu)
    }
}
