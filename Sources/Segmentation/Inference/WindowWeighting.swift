import Foundation
import Tensors

/// How much each voxel of a window counts where windows overlap.
public enum WindowWeighting: String, Sendable, Hashable, CaseIterable, Codable {
    /// All the same.
    case uniform
    /// A Gaussian around the window's centre: near its border a network lacks context.
    case gaussian

    /// The weights of a window, `[D, H, W]`.
    public func weights(over patch: Extent3) -> [Float] {
        switch self {
        case .uniform: [Float](repeating: 1, count: patch.volume)
        case .gaussian: Self.gaussianImportance(over: patch)
        }
    }

    /// nnU-Net's importance map, `[D, H, W]`: a unit impulse at the voxel `n / 2` of each axis, blurred by a Gaussian that
    /// is cut off at four deviations, scaled to a maximum of `peak`. What the cut left at zero gets the smallest positive
    /// weight, so that every voxel counts.
    /// - Parameter sigmaShare: the deviation along each axis, as a share of the axis' length.
    public static func gaussianImportance(
        over patch: Extent3, sigmaShare: Double = 1 / 8, peak: Double = 10
    ) -> [Float] {
        let axes = (0..<3).map { axis -> [Double] in
            let sigma = Double(patch[axis]) * sigmaShare
            let reach = Int(4 * sigma + 0.5)
            return (0..<patch[axis]).map { index in
                let distance = index - patch[axis] / 2
                return abs(distance) > reach ? 0 : exp(-0.5 * Double(distance * distance) / (sigma * sigma))
            }
        }
        let smallest = axes.reduce(peak) { $0 * ($1.filter { $0 > 0 }.min() ?? 1) }
        var weights: [Float] = []
        weights.reserveCapacity(patch.volume)
        for depth in axes[0] {
            for height in axes[1] {
                for width in axes[2] {
                    let weight = peak * depth * height * width
                    weights.append(Float(weight > 0 ? weight : smallest))
                }
            }
        }
        return weights
    }
}
