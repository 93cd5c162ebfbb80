import Tensors

/// The map from a voxel's index to its place in the patient: `(i, j, k)` along the *file's* axes to millimetres in RAS+
/// (x to the right, y to the front, z to the head).
///
/// The three stored rows are the upper rows of the usual 4x4 matrix; the fourth is `0 0 0 1`.
public struct Affine: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The row that gives x: `x = row.x * i + row.y * j + row.z * k + row.w`.
    public var x: SIMD4<Double>
    /// The row that gives y.
    public var y: SIMD4<Double>
    /// The row that gives z.
    public var z: SIMD4<Double>

    /// An affine of three rows.
    public init(x: SIMD4<Double>, y: SIMD4<Double>, z: SIMD4<Double>) {
        (self.x, self.y, self.z) = (x, y, z)
    }

    /// Voxels of `spacingMM` along i, j, k, aligned with x, y, z; voxel (0, 0, 0) lies at `originMM`.
    public init(spacingMM: SIMD3<Double>, originMM: SIMD3<Double> = .zero) {
        x = SIMD4(spacingMM.x, 0, 0, originMM.x)
        y = SIMD4(0, spacingMM.y, 0, originMM.y)
        z = SIMD4(0, 0, spacingMM.z, originMM.z)
    }

    /// The step in millimetres from one voxel to the next along file axis 0 (i), 1 (j) or 2 (k).
    public func step(alongFileAxis axis: Int) -> SIMD3<Double> { SIMD3(x[axis], y[axis], z[axis]) }

    /// The place of voxel (0, 0, 0), in millimetres.
    public var originMM: SIMD3<Double> { SIMD3(x.w, y.w, z.w) }

    /// The distances between neighbours along i, j, k, in millimetres: the lengths of the first three columns.
    public var spacingMM: SIMD3<Double> {
        let squares = x * x + y * y + z * z
        return SIMD3(squares.x, squares.y, squares.z).squareRoot()
    }

    /// The place in millimetres of the (fractional) voxel index `(i, j, k)`.
    public func callAsFunction(_ index: SIMD3<Double>) -> SIMD3<Double> {
        let homogeneous = SIMD4(index, 1)
        return SIMD3((x * homogeneous).sum(), (y * homogeneous).sum(), (z * homogeneous).sum())
    }

    /// The determinant of the 3x3 part: the signed volume of a voxel in cubic millimetres, negative for left-handed axes.
    public var determinant: Double {
        let (a, b, c) = (step(alongFileAxis: 0), step(alongFileAxis: 1), step(alongFileAxis: 2))
        return (a * b.cross(c)).sum()
    }

    /// Whether every element is finite and the three steps span space: |determinant| is at least 1e-6 of the product of
    /// their lengths.
    public var isInvertible: Bool {
        let elements = x * 0 + y * 0 + z * 0
        guard elements == .zero else { return false }
        let lengths = spacingMM
        let product = lengths.x * lengths.y * lengths.z
        return product > 0 && abs(determinant) >= 1e-6 * product
    }

    /// The largest distance in millimetres by which two affines move apart any corner of a grid of `extent` voxels.
    public func largestDistanceMM(to other: Affine, over extent: Extent3) -> Double {
        var largest = 0.0
        for corner in 0..<8 {
            let index = SIMD3<Double>(
                corner & 1 == 0 ? 0 : Double(extent.width - 1), corner & 2 == 0 ? 0 : Double(extent.height - 1),
                corner & 4 == 0 ? 0 : Double(extent.depth - 1))
            let difference = self(index) - other(index)
            largest = max(largest, (difference * difference).sum().squareRoot())
        }
        return largest
    }

    /// Three rows of four numbers.
    public var description: String {
        "[" + [x, y, z].map { row in (0..<4).map { "\(row[$0])" }.joined(separator: " ") }.joined(separator: "; ") + "]"
    }
}

extension SIMD3<Double> {
    fileprivate func cross(_ other: Self) -> Self {
        Self(y * other.z - z * other.y, z * other.x - x * other.z, x * other.y - y * other.x)
    }
}
