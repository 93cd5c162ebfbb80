import Foundation
import Tensors
import Volumes

/// Blurs some channels with a Gaussian whose width differs per channel and axis; the image is reflected at its faces.
public struct GaussianBlur: PatchTransform, Hashable, Codable {
    /// Of a sample.
    public var probability: Double
    /// Of each channel of a chosen sample.
    public var channelProbability: Double
    /// The standard deviation in voxels.
    public var sigma: ClosedRange<Double>

    /// nnU-Net's: with probability 0.2, each channel with 0.5, by 0.5 to 1 voxels.
    public init(probability: Double = 0.2, channelProbability: Double = 0.5, sigma: ClosedRange<Double> = 0.5...1) {
        (self.probability, self.channelProbability, self.sigma) = (probability, channelProbability, sigma)
    }

    /// The stream `augment-blur`.
    public var purpose: Draws.Purpose { "augment-blur" }

    /// Changes the image.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        guard draws.chance(probability) else { return }
        let extent = patch.extent
        for channel in 0..<patch.channels {
            let isChosen = draws.chance(channelProbability)
            let sigmas = (0..<3).map { _ in draws.uniform(in: sigma) }
            guard isChosen else { continue }
            patch.withChannel(channel) { voxels in
                for axis in 0..<3 where extent[axis] > 1 {
                    Self.blur(voxels, extent, along: axis, kernel: Self.kernel(sigma: sigmas[axis]))
                }
            }
        }
    }

    /// The weights of an odd number of voxels, about six standard deviations, with sum 1.
    static func kernel(sigma: Double) -> [Float] {
        let width = 6 * sigma + 0.5
        let rounded = width.rounded(.toNearestOrEven)
        let isOdd = Int(rounded) % 2 == 1
        let taps = Int(isOdd ? rounded : (width >= rounded ? rounded + 1 : rounded - 1))
        let weights = (0..<taps).map { index in
            let distance = (Double(index) - Double(taps - 1) / 2) / sigma
            return exp(-0.5 * distance * distance)
        }
        let sum = weights.reduce(0, +)
        return weights.map { Float($0 / sum) }
    }

    /// Blurs in rows of neighbouring voxels, so that the inner loop runs along memory whatever the axis.
    private static func blur(
        _ voxels: UnsafeMutableBufferPointer<Float>, _ extent: Extent3, along axis: Int, kernel: [Float]
    ) {
        let sizes = extent.dimensions
        let (before, count, after) = (
            sizes[..<axis].reduce(1, *), sizes[axis], sizes[(axis + 1)...].reduce(1, *)
        )
        let radius = kernel.count / 2
        let sources = (-radius..<count + radius).map { reflected($0, count) }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count * after) { line in
            for outer in 0..<before {
                let block = UnsafeMutableBufferPointer(
                    rebasing: voxels[outer * count * after..<(outer + 1) * count * after])
                _ = line.initialize(fromContentsOf: block)
                for index in 0..<count {
                    let target = UnsafeMutableBufferPointer(rebasing: block[index * after..<(index + 1) * after])
                    target.update(repeating: 0)
                    for tap in kernel.indices {
                        let weight = kernel[tap]
                        let source = sources[index + tap] * after
                        for inner in 0..<after { target[inner] += weight * line[source + inner] }
                    }
                }
            }
        }
    }
}

/// The index within `0..<count` that `index` is reflected to, the first and the last voxel not repeated.
func reflected(_ index: Int, _ count: Int) -> Int {
    guard count > 1 else { return 0 }
    let period = 2 * (count - 1)
    let folded = ((index % period) + period) % period
    return folded < count ? folded : period - folded
}
