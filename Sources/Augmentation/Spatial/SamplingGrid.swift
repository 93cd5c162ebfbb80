import Tensors
import Volumes

/// Where each voxel of a patch looks in an array of voxels: an affine grid.
struct SamplingGrid {
    /// The patch.
    let extent: Extent3
    /// The place of the patch's first voxel, in voxels of the array (depth, height, width).
    let start: SIMD3<Double>
    /// The steps from one voxel of the patch to the next along each axis.
    let steps: (depth: SIMD3<Double>, height: SIMD3<Double>, width: SIMD3<Double>)

    /// The grid of a patch in the middle of a box whose first voxel has the index `box.origin`: indices count from the
    /// image's first voxel.
    init(_ map: SpatialMap, patch: Extent3, in box: VoxelBox) {
        func center(_ extent: Extent3) -> SIMD3<Double> {
            SIMD3(Double(extent.depth - 1), Double(extent.height - 1), Double(extent.width - 1)) / 2
        }
        let (columns, middle) = (map.columns, center(patch))
        let origin = SIMD3(Double(box.origin[0]), Double(box.origin[1]), Double(box.origin[2]))
        let first = columns.depth * middle.x + columns.height * middle.y + columns.width * middle.z
        self.init(extent: patch, start: origin + center(box.extent) - first, steps: columns)
    }

    private init(
        extent: Extent3, start: SIMD3<Double>,
        steps: (depth: SIMD3<Double>, height: SIMD3<Double>, width: SIMD3<Double>)
    ) {
        (self.extent, self.start, self.steps) = (extent, start, steps)
    }

    /// The same places, counted from the first voxel of `box`.
    func relative(to box: VoxelBox) -> SamplingGrid {
        let origin = SIMD3(Double(box.origin[0]), Double(box.origin[1]), Double(box.origin[2]))
        return SamplingGrid(extent: extent, start: start - origin, steps: steps)
    }

    /// The smallest box with all places and `margin` voxels around them.
    func bounds(margin: Int) -> VoxelBox {
        let far = (
            steps.depth * Double(extent.depth - 1), steps.height * Double(extent.height - 1),
            steps.width * Double(extent.width - 1)
        )
        var (lower, upper) = (start, start)
        for corner in 0..<8 {
            var place = start
            if corner & 1 != 0 { place += far.0 }
            if corner & 2 != 0 { place += far.1 }
            if corner & 4 != 0 { place += far.2 }
            lower = pointwiseMin(lower, place)
            upper = pointwiseMax(upper, place)
        }
        func range(_ axis: Int) -> Range<Int> {
            Int(lower[axis].rounded(.down)) - margin..<Int(upper[axis].rounded(.down)) + 2 + margin
        }
        return VoxelBox(depth: range(0), height: range(1), width: range(2))
    }

    /// Visits all voxels of the patch in the order of memory, each with its place.
    @inline(__always)
    func forEach(_ body: (_ index: Int, _ place: SIMD3<Double>) -> Void) {
        var index = 0
        for depth in 0..<extent.depth {
            for height in 0..<extent.height {
                let row = start + steps.depth * Double(depth) + steps.height * Double(height)
                for width in 0..<extent.width {
                    body(index, row + steps.width * Double(width))
                    index += 1
                }
            }
        }
    }
}

/// The voxel below a place and the rest, along each axis.
struct Cell {
    let depth: Int
    let height: Int
    let width: Int
    /// How far the place lies beyond the voxel, 0 to 1.
    let rest: SIMD3<Float>

    /// Rounding down by truncation of a positive number: there is no floor in the base instruction set.
    @inline(__always)
    init(_ place: SIMD3<Double>) {
        let shift = 1 << 20
        let shifted = place + Double(shift)
        let (d, h, w) = (Int(shifted.x), Int(shifted.y), Int(shifted.z))
        rest = SIMD3(Float(shifted.x - Double(d)), Float(shifted.y - Double(h)), Float(shifted.z - Double(w)))
        (depth, height, width) = (d - shift, h - shift, w - shift)
    }

    /// Whether the eight voxels around the place are all in an array of `extent`.
    @inline(__always)
    func isInside(_ extent: Extent3) -> Bool {
        depth >= 0 && height >= 0 && width >= 0 && depth < extent.depth - 1 && height < extent.height - 1
            && width < extent.width - 1
    }

    /// Whether none of them is.
    @inline(__always)
    func isOutside(_ extent: Extent3) -> Bool {
        depth < -1 || height < -1 || width < -1 || depth >= extent.depth || height >= extent.height
            || width >= extent.width
    }
}
