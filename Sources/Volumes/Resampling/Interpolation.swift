import Tensors

/// How values between voxels are made from the voxels around them.
///
/// An axis of n voxels becomes one of m over the same length: output i takes its value at `x = (i + 1/2) n/m - 1/2`.
/// Outside the axis the edge value continues.
public enum Interpolation: Int, Sendable, Hashable, Codable {
    /// The nearest voxel; of two as near, the later one. Order 0.
    case nearest = 0
    /// A straight line between two voxels. Order 1.
    case linear = 1
    /// The cubic B-spline through the voxels. Order 3.
    case cubic = 3
}

/// For each output of a resized axis, the voxels that it is made from and their weights.
struct AxisTaps {
    /// Voxels per output: 1, 2 or 4.
    let count: Int
    /// The first voxel of each output; it and its followers may lie up to ``reach`` voxels outside the axis.
    let first: [Int]
    /// `count` weights for each output, one after the other.
    let weights: [Float]

    /// How far taps may lie outside the axis.
    static let reach = 2

    init(from count: Int, to resized: Int, _ interpolation: Interpolation) {
        var first: [Int] = []
        var weights: [Float] = []
        for index in 0..<resized {
            let x = (Double(index) + 0.5) * (Double(count) / Double(resized)) - 0.5
            switch interpolation {
            case .nearest:
                first.append(min(max(Int((x + 0.5).rounded(.down)), 0), count - 1))
                weights.append(1)
            case .linear:
                let below = x.rounded(.down)
                first.append(Int(below))
                weights += [Float(1 - (x - below)), Float(x - below)]
            case .cubic:
                let below = x.rounded(.down)
                first.append(Int(below) - 1)
                weights += Self.cubicWeights(at: x - below).map { Float($0) }
            }
        }
        self.count = [.nearest: 1, .linear: 2, .cubic: 4][interpolation] ?? 1
        (self.first, self.weights) = (first, weights)
    }

    /// The cubic B-spline at distances 1 + t, t, 1 - t and 2 - t from its centre.
    private static func cubicWeights(at t: Double) -> [Double] {
        let u = 1 - t
        return [u * u * u / 6, 2 / 3 - t * t * (2 - t) / 2, 2 / 3 - u * u * (2 - u) / 2, t * t * t / 6]
    }
}
