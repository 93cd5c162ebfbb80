import Augmentation
import Tensors
import Training
import Volumes

/// How Swin UNETR's pretext hides parts of a batch: boxes of noise, then boxes of another image of the batch. Tang et al.
/// 2022, arXiv:2111.14791, as in the public re-implementation.
public struct CutOut: Hashable, Sendable {
    /// The largest share of a patch that each of both may hide; overlaps count twice.
    public var largestShare: Double
    /// The shortest edge of a box, as a share of the patch.
    public var smallestEdge: Double
    /// The longest edge of a box, as a share of the patch.
    public var largestEdge: Double

    /// The public code's values.
    public init(largestShare: Double = 0.3, smallestEdge: Double = 0.05, largestEdge: Double = 0.25) {
        (self.largestShare, self.smallestEdge, self.largestEdge) = (largestShare, smallestEdge, largestEdge)
    }

    /// Reads `cut_out`, `smallest_edge` and `largest_edge`.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection) throws {
        largestShare = try section.double("cut_out", default: 0.3, in: 0...10)
        smallestEdge = try section.double("smallest_edge", default: 0.05, in: 0...1)
        largestEdge = try section.double("largest_edge", default: 0.25, in: 0...1)
    }

    /// Hides parts of each patch, first to last: what an image borrows from a former one may be hidden there already.
    package func apply(to patches: inout [Patch], draws: (_ sample: Int) -> Draws) {
        for sample in patches.indices {
            var draws = draws(sample)
            for box in boxes(in: patches[sample].extent, draws: &draws) { fillWithNoise(&patches[sample], box, &draws) }
            let other = draws.integer(in: patches.indices)
            guard other != sample else { continue }
            for box in boxes(in: patches[sample].extent, draws: &draws) {
                let source = patches[other]
                box.forEachRow(in: source.extent) { row in
                    patches[sample].image.replaceSubrange(row, with: source.image[row])
                }
            }
        }
    }

    /// Boxes until their volumes reach a random budget.
    package func boxes(in extent: Extent3, draws: inout Draws) -> [VoxelBox] {
        let budget = draws.uniform() * largestShare * Double(extent.volume)
        var (boxes, volume): ([VoxelBox], Int) = ([], 0)
        while Double(volume) < budget {
            let ranges = extent.dimensions.map { edge -> Range<Int> in
                let smallest = max(1, Int(smallestEdge * Double(edge)))
                let start = draws.integer(in: 0...edge - smallest)
                let length = draws.integer(in: smallest...max(smallest, Int(largestEdge * Double(edge))))
                return start..<min(edge, start + length)
            }
            boxes.append(VoxelBox(depth: ranges[0], height: ranges[1], width: ranges[2]))
            volume += ranges.reduce(1) { $0 * $1.count }
        }
        return boxes
    }

    /// Normal noise that is scaled to 0...1 within the box.
    private func fillWithNoise(_ patch: inout Patch, _ box: VoxelBox, _ draws: inout Draws) {
        let noise = (0..<box.extent.volume).map { _ in Float(draws.normal()) }
        let (low, high) = (noise.min() ?? 0, noise.max() ?? 0)
        let factor = high > low ? 1 / (high - low) : 0
        var next = 0
        box.forEachRow(in: patch.extent) { row in
            for voxel in row {
                patch.image[voxel] = (noise[next] - low) * factor
                next += 1
            }
        }
    }
}
