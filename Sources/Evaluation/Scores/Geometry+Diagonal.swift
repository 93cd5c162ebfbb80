import Volumes

extension Geometry {
    /// The distance between the outer corners of the grid, in millimetres.
    public var diagonalMM: Double {
        zip(extent.dimensions, spacingMM).reduce(0) { sum, axis in
            let length = Double(axis.0) * axis.1
            return sum + length * length
        }.squareRoot()
    }
}
