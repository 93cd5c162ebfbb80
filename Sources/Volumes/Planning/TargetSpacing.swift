import Foundation
import Tensors

/// The grid that all cases of a dataset are resampled to, and the order of its axes.
struct TargetSpacing: Hashable {
    /// The size of a voxel, in the order of the axes of the arrays as read.
    let spacingMM: [Double]
    /// The axes in planning order: the coarsest first, the others in their order.
    let transpose: [Int]
    /// The median size over cases after resampling, in planning order. Halves occur.
    let medianSize: [Double]

    /// The median spacing; along a very coarse axis with few slices a fine one instead, so that cases of better resolution
    /// are not thrown away.
    init(_ shapes: [Fingerprint.Shape]) {
        var spacing = (0..<3).map { axis in median(shapes.map { $0.spacingMM[axis] }) }
        let size = (0..<3).map { axis in median(shapes.map { Double($0.extent[axis]) }) }
        let coarsest = (0..<3).max { spacing[$0] < spacing[$1] } ?? 0
        let others = (0..<3).filter { $0 != coarsest }
        let coarsestOther = others.map { spacing[$0] }.max() ?? 0
        let shortestOther = others.map { size[$0] }.min() ?? 0
        if spacing[coarsest] > 3 * coarsestOther && 3 * size[coarsest] < shortestOther {
            let fine = percentile(0.1, ofSorted: shapes.map { $0.spacingMM[coarsest] }.sorted())
            spacing[coarsest] = fine < coarsestOther ? max(coarsestOther, fine) + 1e-5 : fine
        }
        let first = (0..<3).max { spacing[$0] < spacing[$1] } ?? 0
        let order = [first] + (0..<3).filter { $0 != first }
        transpose = order
        spacingMM = spacing
        medianSize = order.map { axis in
            median(
                shapes.map { shape in
                    (shape.spacingMM[axis] / spacing[axis] * Double(shape.extent[axis])).rounded(.toNearestOrEven)
                })
        }
    }

    /// ``spacingMM`` in planning order.
    var orderedSpacingMM: [Double] { transpose.map { spacingMM[$0] } }
}
