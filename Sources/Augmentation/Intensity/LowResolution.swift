import Tensors
import Volumes

/// Throws resolution away: shrinks some channels to the nearest voxels and enlarges them again with straight lines.
public struct LowResolution: PatchTransform, Hashable, Codable {
    /// Of a sample.
    public var probability: Double
    /// Of each channel of a chosen sample.
    public var channelProbability: Double
    /// The factor of all axes, drawn per channel.
    public var factor: ClosedRange<Double>
    /// Whether depth is left alone: where slices are thick, its resolution is low already.
    public var keepsDepth: Bool

    /// nnU-Net's: with probability 0.25, each channel with 0.5, to 0.5 to 1 of its voxels along each axis.
    public init(
        probability: Double = 0.25, channelProbability: Double = 0.5, factor: ClosedRange<Double> = 0.5...1,
        keepsDepth: Bool = false
    ) {
        (self.probability, self.channelProbability, self.factor) = (probability, channelProbability, factor)
        self.keepsDepth = keepsDepth
    }

    /// The stream `augment-resolution`.
    public var purpose: Draws.Purpose { "augment-resolution" }

    /// Changes the image.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        guard draws.chance(probability) else { return }
        let extent = patch.extent
        for channel in 0..<patch.channels {
            let isChosen = draws.chance(channelProbability)
            let factor = draws.uniform(in: self.factor)
            guard isChosen else { continue }
            var small = extent
            for axis in (keepsDepth ? 1 : 0)..<3 {
                small[axis] = max(1, Int((Double(extent[axis]) * factor).rounded(.toNearestOrEven)))
            }
            if small != extent { patch.withChannel(channel) { Self.lower($0, extent, through: small) } }
        }
    }

    private static func lower(_ voxels: UnsafeMutableBufferPointer<Float>, _ extent: Extent3, through small: Extent3) {
        let picks = (0..<3).map { axis in
            (0..<small[axis]).map { Int((Double($0) + 0.5) * Double(extent[axis]) / Double(small[axis])) }
        }
        let taps = (0..<3).map { axis in (0..<extent[axis]).map { Tap($0, of: extent[axis], from: small[axis]) } }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: small.volume) { coarse in
            var index = 0
            for depth in picks[0] {
                for height in picks[1] {
                    let row = (depth * extent.height + height) * extent.width
                    for width in picks[2] {
                        coarse[index] = voxels[row + width]
                        index += 1
                    }
                }
            }
            index = 0
            for depth in taps[0] {
                for height in taps[1] {
                    let rows = (
                        (depth.first * small.height + height.first) * small.width,
                        (depth.first * small.height + height.second) * small.width,
                        (depth.second * small.height + height.first) * small.width,
                        (depth.second * small.height + height.second) * small.width
                    )
                    taps[2].withUnsafeBufferPointer { columns in
                        for width in columns {
                            func along(_ row: Int) -> Float {
                                width.mix(coarse[row + width.first], coarse[row + width.second])
                            }
                            voxels[index] = depth.mix(
                                height.mix(along(rows.0), along(rows.1)), height.mix(along(rows.2), along(rows.3)))
                            index += 1
                        }
                    }
                }
            }
        }
    }

    /// The two voxels of the small axis that a voxel of the large one lies between.
    private struct Tap {
        let first: Int
        let second: Int
        let share: Float

        init(_ index: Int, of count: Int, from small: Int) {
            let place = max(0, (Double(index) + 0.5) * Double(small) / Double(count) - 0.5)
            first = min(Int(place), small - 1)
            second = min(first + 1, small - 1)
            share = Float(place - Double(first))
        }

        @inline(__always)
        func mix(_ a: Float, _ b: Float) -> Float { a + share * (b - a) }
    }
}
