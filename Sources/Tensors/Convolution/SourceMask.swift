import CKernels

/// Which voxels of a masked map a gather reads, as the kernels want it; those of hidden blocks count as zero.
struct SourceMask {
    /// Per row of blocks the voxels along the width, `[N, gD, gH, W]`.
    private let visible: [UInt8]
    private let grid, cell: Extent3

    /// `nil` where all of `map` is visible.
    init?(of map: Tensor) {
        guard let mask = map.visibility, mask.visible.contains(false) else { return nil }
        guard let cell = mask.cell(in: map.shape.extent) else {
            fatalError("extent \(map.shape.extent) is no multiple of \(mask.grid)")
        }
        (grid, self.cell) = (mask.grid, cell)
        visible = mask.visible.flatMap { [UInt8](repeating: $0 ? 1 : 0, count: cell.width) }
    }

    /// Gives `body` the mask, `nil` without one.
    static func withPointer<Result>(_ mask: SourceMask?, _ body: (UnsafePointer<ws_mask>?) -> Result) -> Result {
        guard let mask else { return body(nil) }
        return mask.visible.withUnsafeBufferPointer { visible in
            let words = (grid: mask.grid.words, cell: mask.cell.words)
            let description = ws_mask(
                visible: visible.baseAddress, grid: (words.grid.0, words.grid.1), cell: (words.cell.0, words.cell.1))
            return withUnsafePointer(to: description, body)
        }
    }
}
