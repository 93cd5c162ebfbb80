import Tensors
import Volumes

/// A patch of noise with labels of a few classes.
func randomPatch(_ extent: Extent3, channels: Int = 1, classes: Int = 4, seed: UInt64 = 1) -> Patch {
    var draws = Draws(seed: seed, purpose: "augmentation-tests")
    return Patch(
        image: (0..<channels * extent.volume).map { _ in Float(draws.normal()) }, channels: channels,
        labels: (0..<extent.volume).map { _ in Int16(draws.integer(in: 0..<classes)) }, extent: extent)
}

/// A patch whose value is a function of the place.
func patch(_ extent: Extent3, _ value: (_ depth: Double, _ height: Double, _ width: Double) -> Double) -> Patch {
    var image: [Float] = []
    for depth in 0..<extent.depth {
        for height in 0..<extent.height {
            for width in 0..<extent.width { image.append(Float(value(Double(depth), Double(height), Double(width)))) }
        }
    }
    return Patch(image: image, channels: 1, labels: nil, extent: extent)
}

/// The largest difference of corresponding values.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
}

/// Mean and standard deviation (of a sample).
func moments(_ values: some Collection<Float>) -> (mean: Double, deviation: Double) {
    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    let squares = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    return (mean, (squares / Double(values.count - 1)).squareRoot())
}

extension Draws {
    static func of(step: Int) -> Draws { Draws(seed: 11, purpose: "augmentation-tests-draws", step: step) }
}
