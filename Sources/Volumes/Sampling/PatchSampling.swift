import Foundation
import Tensors

/// Where patches are cut from images: mostly anywhere, some around labeled voxels. nnU-Net's rules.
///
/// A box may be larger than the patch, to have something to rotate in, and then may reach beyond the image by half of the
/// difference, so that every voxel is as likely to be inside the patch.
public struct PatchSampling: Codable, Hashable, Sendable {
    /// Which samples of a batch lie around foreground.
    public enum Oversampling: Codable, Hashable, Sendable {
        /// The last `round(batch * share)` samples or so of every batch: sample i if `i >= round(batch * (1 - share))`.
        case share(Double)
        /// Each sample with this probability.
        case probability(Double)
    }

    /// What the network sees.
    public var patch: Extent3
    /// What is cut from the image, at least the patch.
    public var box: Extent3
    /// Which samples of a batch lie around foreground.
    public var oversampling: Oversampling

    /// - Parameter box: by default the patch itself.
    public init(patch: Extent3, box: Extent3? = nil, oversampling: Oversampling = .share(0.33)) {
        (self.patch, self.box, self.oversampling) = (patch, box ?? patch, oversampling)
    }

    /// One of `count` images, each equally likely, drawn with replacement.
    public static func image(of count: Int, seed: UInt64, step: Int, sample: Int) -> Int {
        var draws = Draws(seed: seed, purpose: .imageChoice, step: step, sample: sample)
        return draws.integer(in: 0..<count)
    }

    /// The box of one sample.
    ///
    /// - Parameters:
    ///   - extent: the size of the image.
    ///   - foreground: nil or empty: anywhere.
    ///   - batch: the number of samples in the batch.
    /// - Returns: a box of ``box`` voxels, which may reach beyond the image.
    public func box(
        in extent: Extent3, foreground: ForegroundVoxels?, seed: UInt64, step: Int, sample: Int, batch: Int
    ) -> VoxelBox {
        var draws = Draws(seed: seed, purpose: .patchPlace, step: step, sample: sample)
        let isForced =
            switch oversampling {
            case .share(let share): sample >= Int((Double(batch) * (1 - share)).rounded(.toNearestOrEven))
            case .probability(let probability): draws.chance(probability)
            }
        let limits = (0..<3).map { starts(along: $0, of: extent[$0]) }
        guard isForced, let classes = foreground?.classes, !classes.isEmpty else {
            return VoxelBox(origin: limits.map { draws.integer(in: $0) }, extent: box)
        }
        let chosen = classes[draws.integer(in: 0..<classes.count)].voxels
        let voxel = Int(chosen[draws.integer(in: 0..<chosen.count)])
        let place = [
            voxel / (extent.height * extent.width), voxel / extent.width % extent.height, voxel % extent.width,
        ]
        // No upper limit: near the far faces the box leaves the image and is padded.
        return VoxelBox(origin: (0..<3).map { max(limits[$0].lowerBound, place[$0] - box[$0] / 2) }, extent: box)
    }

    /// The first and the last start of the box along an axis of `size` voxels.
    private func starts(along axis: Int, of size: Int) -> ClosedRange<Int> {
        let need = max(box[axis] - patch[axis], box[axis] - size)
        let lower = -((need + 1) / 2)
        return lower...size + need / 2 + need % 2 - box[axis]
    }
}

extension Draws.Purpose {
    static let imageChoice: Self = "image-choice"
    static let patchPlace: Self = "patch-place"
}
