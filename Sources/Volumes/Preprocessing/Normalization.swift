import Foundation
import Tensors

/// How the intensities of a channel are brought to a common scale.
public enum Normalization: Sendable, Hashable, Codable {
    /// `(x - mean) / max(deviation, 1e-8)` with mean and population deviation of this image.
    ///
    /// With `insideOnly`, only voxels inside the non-zero region count and change; the others stay as they are.
    case zScore(insideOnly: Bool)
    /// Clips to a range, then `(x - mean) / max(deviation, 1e-8)`, with statistics of the whole dataset's foreground.
    case ct(CTStatistics)
    /// Clips to the image's own 0.5th and 99.5th percentile, then z-scores over all voxels: Med3D. Chen, Ma, Zheng 2019,
    /// arXiv:1904.00625.
    case clippedZScore
    /// Clips to a range of intensities, then brings it to 0...1: Models Genesis, with -1000 to 1000 HU. Zhou et al. 2019,
    /// arXiv:1908.06912.
    case window(lower: Double, upper: Double)
    /// `(x - minimum) / max(maximum - minimum, 1e-8)`.
    case zeroToOne
    /// `x / 255`.
    case rgb
    /// Leaves the intensities as they are.
    case none

    /// Smallest deviation or range that is divided by.
    static let smallest = 1e-8

    /// Normalizes one channel.
    /// - Parameters:
    ///   - voxels: the channel, `[D, H, W]`.
    ///   - isInside: the non-zero region, `[D, H, W]`; only read for `zScore(insideOnly: true)`. Nil: all inside.
    public func apply(to voxels: UnsafeMutableBufferPointer<Float>, isInside: [Bool]?, on cpu: CPU) {
        switch self {
        case .none: return
        case .rgb: map(voxels, on: cpu) { $0 / 255 }
        case .zeroToOne:
            let low = voxels.min() ?? 0
            let range = max((voxels.max() ?? 0) - low, Float(Self.smallest))
            map(voxels, on: cpu) { ($0 - low) / range }
        case .window(let lower, let upper):
            let (low, high) = (Float(lower), Float(upper))
            let range = max(high - low, Float(Self.smallest))
            map(voxels, on: cpu) { (min(max($0, low), high) - low) / range }
        case .clippedZScore:
            let sorted = voxels.sorted()
            guard !sorted.isEmpty else { return }
            let low = Float(percentile(0.005, ofSorted: sorted))
            let high = Float(percentile(0.995, ofSorted: sorted))
            map(voxels, on: cpu) { min(max($0, low), high) }
            Normalization.zScore(insideOnly: false).apply(to: voxels, isInside: nil, on: cpu)
        case .ct(let statistics):
            let (low, high) = (Float(statistics.lower), Float(statistics.upper))
            let (mean, deviation) = (Float(statistics.mean), Float(max(statistics.deviation, Self.smallest)))
            map(voxels, on: cpu) { (min(max($0, low), high) - mean) / deviation }
        case .zScore(let insideOnly):
            let mask = insideOnly ? isInside : nil
            let (mean, deviation) = moments(of: voxels, where: mask, on: cpu)
            let (shift, scale) = (Float(mean), Float(max(deviation, Self.smallest)))
            guard let mask else { return map(voxels, on: cpu) { ($0 - shift) / scale } }
            for index in voxels.indices where mask[index] { voxels[index] = (voxels[index] - shift) / scale }
        }
    }
}

/// Statistics of a modality's intensities within the foreground of a whole dataset.
public struct CTStatistics: Sendable, Hashable, Codable {
    /// The mean.
    public var mean: Double
    /// The standard deviation.
    public var deviation: Double
    /// Intensities below are raised to this: the 0.5th percentile.
    public var lower: Double
    /// Intensities above are lowered to this: the 99.5th percentile.
    public var upper: Double

    /// Statistics from a fingerprint.
    public init(mean: Double, deviation: Double, lower: Double, upper: Double) {
        (self.mean, self.deviation, self.lower, self.upper) = (mean, deviation, lower, upper)
    }
}

/// Elements that one task handles. Sums are formed per piece and added in order: the same bits for any number of threads.
private let piece = 1 << 16

private func map(
    _ voxels: UnsafeMutableBufferPointer<Float>, on cpu: CPU, _ transform: @Sendable (Float) -> Float
) {
    nonisolated(unsafe) let voxels = voxels
    cpu.forEach((voxels.count + piece - 1) / piece) { task in
        for index in task * piece..<min((task + 1) * piece, voxels.count) { voxels[index] = transform(voxels[index]) }
    }
}

/// Mean and population deviation, in two passes in double precision; (0, 0) of nothing.
private func moments(
    of voxels: UnsafeMutableBufferPointer<Float>, where mask: [Bool]?, on cpu: CPU
) -> (mean: Double, deviation: Double) {
    let count = Double(mask.map { $0.reduce(0) { $0 + ($1 ? 1 : 0) } } ?? voxels.count)
    guard count > 0 else { return (0, 0) }
    let mean = sum(of: voxels, where: mask, on: cpu) { $0 } / count
    let squares = sum(of: voxels, where: mask, on: cpu) { ($0 - mean) * ($0 - mean) }
    return (mean, (squares / count).squareRoot())
}

private func sum(
    of voxels: UnsafeMutableBufferPointer<Float>, where mask: [Bool]?, on cpu: CPU,
    _ term: @Sendable (Double) -> Double
) -> Double {
    var sums = [Double](repeating: 0, count: (voxels.count + piece - 1) / piece)
    sums.withUnsafeMutableBufferPointer { sums in
        nonisolated(unsafe) let (voxels, sums) = (voxels, sums)
        cpu.forEach(sums.count) { task in
            let range = task * piece..<min((task + 1) * piece, voxels.count)
            if let mask {
                sums[task] = range.reduce(0) { mask[$1] ? $0 + term(Double(voxels[$1])) : $0 }
                return
            }
            // Four sums that do not wait for each other.
            var partial = SIMD4<Double>.zero
            for index in stride(from: range.lowerBound, to: range.upperBound - 3, by: 4) {
                for lane in 0..<4 { partial[lane] += term(Double(voxels[index + lane])) }
            }
            sums[task] = voxels[range].suffix(range.count % 4).reduce(partial.sum()) { $0 + term(Double($1)) }
        }
    }
    return sums.reduce(0, +)
}
