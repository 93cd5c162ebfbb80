import Tensors
import Volumes

/// Maps intensities in 0...1 through a random smooth curve: organs keep their shape and take other shades.
///
/// Zhou et al. 2019 (Models Genesis), arXiv:1908.06912.
public struct BezierIntensity: PatchTransform, Hashable, Codable {
    /// Of a sample.
    public var probability: Double
    /// Of a curve that falls, so that bright becomes dark.
    public var fallingProbability: Double

    /// Models Genesis': with probability 0.9, half of the curves falling.
    public init(probability: Double = 0.9, fallingProbability: Double = 0.5) {
        (self.probability, self.fallingProbability) = (probability, fallingProbability)
    }

    /// The stream `deform-intensity`.
    public var purpose: Draws.Purpose { "deform-intensity" }

    /// Changes the image; all channels alike.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        guard draws.chance(probability) else { return }
        let controls = (0..<2).map { _ in SIMD2(draws.uniform(), draws.uniform()) }
        let curve = IntensityCurve(controls[0], controls[1], falls: draws.chance(fallingProbability))
        patch.image.withUnsafeMutableBufferPointer { voxels in voxels.map { curve($0) } }
    }
}

/// A function of intensities, from a cubic Bézier curve between (0, 0) and (1, 1).
public struct IntensityCurve: Sendable {
    private let inputs: [Float]
    private let outputs: [Float]

    /// The number of points on the curve; between them it is straight. Models Genesis' code.
    static let samples = 100_000

    /// The function through points of the curve. A Bézier curve may turn back, so its points are sorted by their inputs; if
    /// the function is to rise, their outputs are sorted as well, otherwise they stay in the order from (1, 1) to (0, 0).
    public init(_ first: SIMD2<Double>, _ second: SIMD2<Double>, falls: Bool) {
        var (inputs, outputs): ([Float], [Float]) = ([], [])
        for index in 0..<Self.samples {
            let t = Double(index) / Double(Self.samples - 1)
            let u = 1 - t
            let point = SIMD2<Double>(repeating: u * u * u) + 3 * t * u * u * second + 3 * t * t * u * first
            inputs.append(Float(point.x))
            outputs.append(Float(point.y))
        }
        self.inputs = inputs.sorted()
        self.outputs = falls ? outputs : outputs.sorted()
    }

    /// The output for an intensity; that of the nearest end beyond 0...1.
    public func callAsFunction(_ input: Float) -> Float {
        var (low, high) = (0, inputs.count - 1)
        guard input > inputs[low] else { return outputs[low] }
        guard input < inputs[high] else { return outputs[high] }
        while high - low > 1 {
            let middle = (low + high) / 2
            if inputs[middle] <= input { low = middle } else { high = middle }
        }
        let share = (input - inputs[low]) / (inputs[high] - inputs[low])
        return outputs[low] + share * (outputs[high] - outputs[low])
    }
}
