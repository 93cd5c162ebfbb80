import Tensors

/// Searches a slice in growing squares around a voxel for the nearest target, with a limited number of steps for all
/// searches of the slice together.
struct SquareSearch {
    private let extent: Extent3
    private let spacingMM: [Double]
    private var steps: Int

    init(extent: Extent3, spacingMM: [Double], steps: Int) {
        (self.extent, self.spacingMM, self.steps) = (extent, spacingMM, steps)
    }

    /// The squared distance to the nearest target; nil when the steps are used up.
    /// - Parameters:
    ///   - place: linear index in the slice, `[H, W]`.
    ///   - slicesAway: for each voxel of the slice, the number of slices to a target in its column.
    ///   - squares: the squared millimetres of so many slices; its last element stands for all larger numbers.
    mutating func nearest(
        to place: Int, in slicesAway: UnsafePointer<UInt16>, _ squares: UnsafeBufferPointer<Double>
    ) -> Double? {
        let (rows, width) = (extent.height, extent.width)
        let (row, column) = (place / width, place % width)
        let (last, narrow) = (squares.count - 1, min(spacingMM[1], spacingMM[2]))
        var best = squares[min(last, Int(slicesAway[place]))]
        var reach = 1
        while true {
            let nearestMM = Double(reach) * narrow
            guard nearestMM * nearestMM < best else { return best }
            guard reach < max(rows, width) else { return best }
            steps -= 8 * reach
            guard steps >= 0 else { return nil }
            let columns = max(0, column - reach)...min(width - 1, column + reach)
            for y in max(0, row - reach)...min(rows - 1, row + reach) {
                let heightMM = Double(y - row) * spacingMM[1]
                let height = heightMM * heightMM
                let line = slicesAway + y * width
                func look(_ x: Int) {
                    let widthMM = Double(x - column) * spacingMM[2]
                    best = min(best, squares[min(last, Int(line[x]))] + height + widthMM * widthMM)
                }
                if y == row - reach || y == row + reach {
                    for x in columns { look(x) }
                } else {
                    if column >= reach { look(column - reach) }
                    if column + reach < width { look(column + reach) }
                }
            }
            reach += 1
        }
    }
}
