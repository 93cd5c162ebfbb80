import Networks
import Tensors
import Training

/// An encoder with three heads on its bottleneck: absolute error of the whole patch, cross-entropy of the quarters that it was
/// turned by, and contrast of both views; equal weights.
///
/// Parts: `encoder`, `reconstruction.I`, `rotation`, `contrast`.
public struct PretextTriple: PretextLearner {
    /// What of the bottleneck the heads for rotation and contrast see.
    public enum Tokens: String, CaseIterable, Sendable {
        /// The mean of all voxels.
        case mean
        /// The first voxel for rotation, the second for contrast, as in the public code.
        case corner
    }

    /// What is pre-trained.
    public let encoder: ResEncEncoder
    /// From the bottleneck to the image, one convolution per stage.
    public let reconstruction: [Conv3D]
    /// From a token to four logits.
    public let rotation: Linear
    /// From a token to the vector that is contrasted.
    public let contrast: Linear
    /// Where the heads look.
    public let tokens: Tokens
    private let temperature: Float
    private let cpu: CPU

    /// A learner for the encoder of a network.
    public init(_ plan: NetworkPlan, tokens: Tokens, width: Int, temperature: Float, on cpu: CPU) {
        let widths = Array(plan.features.reversed()) + [plan.inputChannels]
        encoder = ResEncEncoder(plan, on: cpu)
        reconstruction = zip(widths, widths.dropFirst()).map { input, output in
            Conv3D(inputChannels: input, outputChannels: output, kernel: 3, dimensions: plan.dimensions, on: cpu)
        }
        rotation = Linear(inputs: widths[0], outputs: 4, on: cpu)
        contrast = Linear(inputs: widths[0], outputs: width, on: cpu)
        (self.tokens, self.temperature, self.cpu) = (tokens, temperature, cpu)
    }

    /// Encoder and heads.
    public var members: [Member] {
        [.module("encoder", encoder)] + Member.modules("reconstruction", reconstruction)
            + [.module("rotation", rotation), .module("contrast", contrast)]
    }

    /// The encoder.
    public var result: any Module { EncoderOnly(encoder) }

    /// The sum of the three.
    public func loss(_ batch: SwinPretext.Batch, in phase: Phase) -> StepLoss {
        let maps = encoder(batch.cut.input(on: cpu), in: phase)
        let rebuilt = absoluteError(reconstructed(maps, in: phase), target: batch.whole.input(on: cpu))
        let bottleneck = maps[maps.count - 1]
        let turned = rowCrossEntropy(rotation(token(0, of: bottleneck), in: phase), targets: batch.quarters)
        let vectors = contrast(token(1, of: bottleneck), in: phase)
        let pairs = batch.cut.samples / 2
        let contrasted = ntXent(
            slice(vectors, axis: 0, 0..<pairs), slice(vectors, axis: 0, pairs..<2 * pairs), temperature: temperature)
        return StepLoss(
            total: add(add(rebuilt, turned), contrasted),
            parts: [
                "reconstruction": Double(rebuilt.item), "rotation": Double(turned.item),
                "contrast": Double(contrasted.item),
            ], cases: batch.cut.names)
    }

    /// Cut, whole and rebuilt slices, and by how many quarters the patch was turned.
    public func previews(of batch: SwinPretext.Batch) -> [Preview] {
        let maps = encoder(batch.cut.input(on: cpu), in: .inference)
        let rebuilt = reconstructed(maps, in: .inference).channelsFirst
        let logits = rotation(token(0, of: maps[maps.count - 1]), in: .inference).scalars
        return batch.cut.names.indices.map { sample in
            let painter = SlicePainter(batch.whole.extent, showing: batch.whole.patch(sample).image)
            let told = (0..<4).max { logits[4 * sample + $0] < logits[4 * sample + $1] } ?? 0
            return Preview(
                title: "\(batch.cut.names[sample]): cut, whole, rebuilt (slice \(painter.slice)); turned by "
                    + "\(batch.quarters[sample]) quarters, told \(told)",
                images: [batch.cut.voxels, batch.whole.voxels, rebuilt].map { painter.picture($0, sample: sample) })
        }
    }

    /// A convolution, a norm without scale and shift, an activation and doubling for each stage but the finest, which gets
    /// the convolution alone.
    private func reconstructed(_ maps: [Tensor], in phase: Phase) -> Tensor {
        var map = maps[maps.count - 1]
        for (index, layer) in reconstruction.dropLast().enumerated() {
            map = instanceNorm(
                layer(map, in: phase), weight: nil, bias: nil, epsilon: 1e-5, slope: ConvNormActivation.slope)
            map = upsample(map, to: maps[maps.count - 2 - index].shape.extent, mode: .trilinear(alignCorners: false))
        }
        return reconstruction[reconstruction.count - 1](map, in: phase)
    }

    private func token(_ index: Int, of bottleneck: Tensor) -> Tensor {
        guard tokens == .corner else { return globalAverage(bottleneck) }
        let shape = bottleneck.shape
        let voxels = bottleneck.reshaped(to: [shape.samples, shape.extent.volume, shape.channels])
        let voxel = min(index, shape.extent.volume - 1)
        return slice(voxels, axis: 1, voxel..<voxel + 1).reshaped(to: [shape.samples, shape.channels])
    }
}
