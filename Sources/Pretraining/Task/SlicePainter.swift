import Tensors
import Training

/// Paints the slice in the middle of patches, all with the same scale of gray.
struct SlicePainter {
    /// The patches' size.
    let extent: Extent3
    /// What is black and what is white.
    let range: ClosedRange<Float>

    /// A painter of patches of `extent` whose gray scale shows `voxels` well.
    init(_ extent: Extent3, showing voxels: some Sequence<Float>) {
        let sorted = voxels.sorted()
        self.extent = extent
        // The brightest and darkest hundredth may be anything: vessels, metal, air.
        range = sorted[sorted.count / 100]...sorted[sorted.count - 1 - sorted.count / 100]
    }

    /// A painter of patches of `extent` between two intensities.
    init(_ extent: Extent3, range: ClosedRange<Float>) { (self.extent, self.range) = (extent, range) }

    /// The slice that is painted.
    var slice: Int { extent.depth / 2 }

    /// One slice of a sample. Height grows towards the front of the patient; pictures grow downwards.
    /// - Parameter voxels: `[N, D, H, W]`.
    func picture(_ voxels: [Float], sample: Int = 0) -> Picture {
        let first = (sample * extent.depth + slice) * extent.height
        let values = (0..<extent.height).reversed().flatMap { height in
            voxels[(first + height) * extent.width..<(first + height + 1) * extent.width]
        }
        return Picture(width: extent.width, height: extent.height, values: values, range: range)
    }

    /// All slices side by side, one picture element for each voxel: for small grids.
    func overview(_ voxels: [Float]) -> Picture {
        let values = (0..<extent.height).reversed().flatMap { height in
            (0..<extent.depth).flatMap { depth in
                let row = (depth * extent.height + height) * extent.width
                return voxels[row..<row + extent.width]
            }
        }
        return Picture(width: extent.depth * extent.width, height: extent.height, values: values, range: range)
    }
}
