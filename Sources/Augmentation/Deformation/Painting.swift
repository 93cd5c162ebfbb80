import Tensors
import Volumes

/// Hides parts of an image in 0...1 behind noise: a few boxes, or all but a few boxes.
///
/// Zhou et al. 2019 (Models Genesis), arXiv:1908.06912.
public struct Painting: PatchTransform, Hashable, Codable {
    /// Of a sample.
    public var probability: Double
    /// Of in-painting a painted sample; the others are out-painted.
    public var inPaintingProbability: Double
    /// What boxes are hidden.
    public var inside: InPainting
    /// What boxes are left.
    public var outside: OutPainting

    /// Models Genesis': with probability 0.9, a fifth of them in-painted.
    public init(
        probability: Double = 0.9, inPaintingProbability: Double = 0.2, inside: InPainting = InPainting(),
        outside: OutPainting = OutPainting()
    ) {
        (self.probability, self.inPaintingProbability) = (probability, inPaintingProbability)
        (self.inside, self.outside) = (inside, outside)
    }

    /// The stream `deform-painting`.
    public var purpose: Draws.Purpose { "deform-painting" }

    /// Changes the image.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        guard draws.chance(probability) else { return }
        if draws.chance(inPaintingProbability) {
            inside.apply(to: &patch, draws: &draws)
        } else {
            outside.apply(to: &patch, draws: &draws)
        }
    }
}

/// Fills boxes with noise, uniform in 0..<1.
public struct InPainting: PatchTransform, Hashable, Codable {
    /// At most so many boxes.
    public var boxes: Int
    /// Of going on, before each box.
    public var continuation: Double
    /// A box has at least `floor(n / divisor)` voxels along an axis of n.
    public var smallestDivisor: Int
    /// A box has at most `floor(n / divisor)` voxels along an axis of n.
    public var largestDivisor: Int
    /// Whether the largest size itself does not occur.
    public var excludesLargest: Bool

    /// Models Genesis': up to five boxes of a sixth to a third of the patch.
    public init(
        boxes: Int = 5, continuation: Double = 0.95, smallestDivisor: Int = 6, largestDivisor: Int = 3,
        excludesLargest: Bool = false
    ) {
        (self.boxes, self.continuation) = (boxes, continuation)
        (self.smallestDivisor, self.largestDivisor) = (smallestDivisor, largestDivisor)
        self.excludesLargest = excludesLargest
    }

    /// The stream `deform-in-painting`.
    public var purpose: Draws.Purpose { "deform-in-painting" }

    /// Changes the image; a box for which there is no room is left out.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        let extent = patch.extent
        for _ in 0..<boxes {
            guard draws.chance(continuation) else { return }
            let size = draws.extent(in: extent) { edge in
                let smallest = max(1, edge / smallestDivisor)
                return smallest...max(smallest, edge / largestDivisor - (excludesLargest ? 1 : 0))
            }
            guard let box = draws.box(of: size, in: extent, margin: Painting.margin) else { continue }
            for channel in 0..<patch.channels {
                patch.withChannel(channel) { voxels in
                    box.forEachRow(in: extent) { row in for voxel in row { voxels[voxel] = draws.unitNoise() } }
                }
            }
        }
    }
}

/// Replaces all but some boxes by noise, uniform in 0..<1.
public struct OutPainting: PatchTransform, Hashable, Codable {
    /// At most so many boxes stay, at least one.
    public var boxes: Int
    /// Of going on, before each box but the first.
    public var continuation: Double

    /// Models Genesis': up to five boxes of three to four sevenths less than the patch.
    public init(boxes: Int = 5, continuation: Double = 0.95) {
        (self.boxes, self.continuation) = (boxes, continuation)
    }

    /// The stream `deform-out-painting`.
    public var purpose: Draws.Purpose { "deform-out-painting" }

    /// Changes the image.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        let (extent, original) = (patch.extent, patch.image)
        for index in patch.image.indices { patch.image[index] = draws.unitNoise() }
        for index in 0..<boxes {
            guard index == 0 || draws.chance(continuation) else { return }
            let cut = draws.extent(in: extent) { 3 * $0 / 7...4 * $0 / 7 }
            let size = extent.zipped(with: cut, -)
            guard let box = draws.box(of: size, in: extent, margin: Painting.margin) else { continue }
            for channel in 0..<patch.channels {
                let first = channel * extent.volume
                box.forEachRow(in: extent) { row in
                    for voxel in row { patch.image[first + voxel] = original[first + voxel] }
                }
            }
        }
    }
}

extension Painting {
    /// Boxes stay so many voxels away from the faces of the patch.
    fileprivate static let margin = 3
}

extension Draws {
    /// A number in 0..<1, in single precision.
    mutating func unitNoise() -> Float { Float(next() >> 40) * 0x1p-24 }
}
