import Augmentation
import Tensors
import Training
import Volumes

/// How two patches are blended: boxes of random size and place get a random share of the first patch; later boxes overwrite
/// earlier ones. Wang et al. 2023 (Volume Fusion), arXiv:2306.16925.
public struct BoxFusion: Hashable, Sendable {
    /// Shares are `c / levels`, `c` in `0...levels`.
    public var levels: Int
    /// How many boxes are drawn.
    public var boxes: ClosedRange<Int>
    /// The shortest edge of a box, in voxels.
    public var smallest: Int
    /// The longest edge of a box, as a share of the patch.
    public var largestShare: Double

    /// The S3D study's values.
    public init(
        levels: Int = 4, boxes: ClosedRange<Int> = 10...39, smallest: Int = 8, largestShare: Double = 0.625
    ) {
        (self.levels, self.boxes, self.smallest, self.largestShare) = (levels, boxes, smallest, largestShare)
    }

    /// Reads `levels`, `boxes`, `smallest_box` and `largest_box_share`.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection) throws {
        levels = try section.integer("levels", default: 4, in: 1...100)
        let boxes = try section.integers("boxes", default: [10, 39], count: 2, in: 1...10_000)
        guard boxes[0] <= boxes[1] else {
            throw section.error(at: "boxes", "expected the smallest and the largest number of boxes, such as [10, 39]")
        }
        self.boxes = boxes[0]...boxes[1]
        smallest = try section.integer("smallest_box", default: 8, in: 1...4096)
        largestShare = try section.double("largest_box_share", default: 0.625, in: 0.001...1)
    }

    /// The level `c` of each voxel, `[D, H, W]`; 0 outside of all boxes.
    public func levels(in extent: Extent3, draws: inout Draws) -> [Int16] {
        var result = [Int16](repeating: 0, count: extent.volume)
        for _ in 0..<draws.integer(in: boxes) {
            let level = Int16(draws.integer(in: 0...levels))
            let size = draws.extent(in: extent) { edge in
                let low = min(smallest, edge)
                return low...max(low, Int(largestShare * Double(edge)))
            }
            draws.box(of: size, in: extent)?.forEachRow(in: extent) { row in
                for voxel in row { result[voxel] = level }
            }
        }
        return result
    }

    /// `a foreground + (1 - a) background`, voxel by voxel, with `a` the level's share.
    public func fused(_ foreground: [Float], _ background: [Float], levels map: [Int16]) -> [Float] {
        map.indices.map { voxel in
            let share = Float(map[voxel]) / Float(levels)
            return share * foreground[voxel] + (1 - share) * background[voxel]
        }
    }
}
