import Tensors

/// Resizes the middle axis of an array `[outer, n, inner]` to m elements.
///
/// Works on bundles of sixteen neighbouring lines at a time, one line in each lane of a vector.
func resizedAxis(
    _ source: [Float], outer: Int, count: Int, inner: Int, to resized: Int, _ interpolation: Interpolation, on cpu: CPU
) -> [Float] {
    let lanes = 16
    let bundlesPerTask = 32
    let lines = outer * inner
    let bundles = (lines + lanes - 1) / lanes
    let taps = AxisTaps(from: count, to: resized, interpolation)
    return [Float](unsafeUninitializedCapacity: lines * resized) { result, initialized in
        source.withUnsafeBufferPointer { source in
            nonisolated(unsafe) let (source, result) = (source, result)
            cpu.forEach((bundles + bundlesPerTask - 1) / bundlesPerTask) { task in
                let pass = AxisPass(source: source, result: result, count: count, inner: inner, taps: taps)
                defer { pass.free() }
                for bundle in task * bundlesPerTask..<min((task + 1) * bundlesPerTask, bundles) {
                    let first = bundle * lanes
                    pass.load(lines: first..<min(first + lanes, lines))
                    if interpolation == .cubic { prefilterSpline(pass.padded) }
                    pass.store(lines: first..<min(first + lanes, lines))
                }
            }
        }
        initialized = lines * resized
    }
}

/// The lines of one bundle on their way: loaded with their edges continued, then interpolated into the result.
private struct AxisPass {
    let source: UnsafeBufferPointer<Float>
    let result: UnsafeMutableBufferPointer<Float>
    let count: Int
    let inner: Int
    let taps: AxisTaps
    /// `reach` edge values, the line, `reach` edge values.
    let padded: UnsafeMutableBufferPointer<SIMD16<Float>>

    init(
        source: UnsafeBufferPointer<Float>, result: UnsafeMutableBufferPointer<Float>, count: Int, inner: Int,
        taps: AxisTaps
    ) {
        (self.source, self.result, self.count, self.inner, self.taps) = (source, result, count, inner, taps)
        padded = .allocate(capacity: count + 2 * AxisTaps.reach)
        padded.initialize(repeating: .zero)
    }

    func free() { padded.deallocate() }

    func load(lines: Range<Int>) {
        let line = UnsafeMutableBufferPointer(rebasing: padded[AxisTaps.reach..<AxisTaps.reach + count])
        if let start = contiguousStart(lines, lineLength: count) {
            let base = UnsafeRawPointer(source.baseAddress! + start)
            let stride = inner * MemoryLayout<Float>.size
            for index in 0..<count {
                line[index] = base.loadUnaligned(fromByteOffset: index * stride, as: SIMD16<Float>.self)
            }
        } else {
            for (lane, start) in starts(lines, lineLength: count).enumerated() {
                for index in 0..<count { line[index][lane] = source[start + index * inner] }
            }
        }
        for index in 0..<AxisTaps.reach {
            padded[index] = line[0]
            padded[AxisTaps.reach + count + index] = line[count - 1]
        }
    }

    func store(lines: Range<Int>) {
        let resized = taps.first.count
        let contiguous = contiguousStart(lines, lineLength: resized)
        let laneStarts = contiguous == nil ? starts(lines, lineLength: resized) : []
        taps.first.withUnsafeBufferPointer { first in
            taps.weights.withUnsafeBufferPointer { weights in
                for index in 0..<resized {
                    let start = first[index] + AxisTaps.reach
                    var sum = padded[start] * weights[index * taps.count]
                    for tap in 1..<max(taps.count, 1) {
                        sum += padded[start + tap] * weights[index * taps.count + tap]
                    }
                    if let contiguous {
                        UnsafeMutableRawPointer(result.baseAddress! + contiguous + index * inner)
                            .storeBytes(of: sum, as: SIMD16<Float>.self)
                    } else {
                        for (lane, start) in laneStarts.enumerated() { result[start + index * inner] = sum[lane] }
                    }
                }
            }
        }
    }

    /// The position of the first element of lines that are sixteen neighbours in memory; nil for others.
    private func contiguousStart(_ lines: Range<Int>, lineLength: Int) -> Int? {
        guard lines.count == 16, lines.lowerBound / inner == (lines.upperBound - 1) / inner else { return nil }
        return start(of: lines.lowerBound, lineLength)
    }

    private func starts(_ lines: Range<Int>, lineLength: Int) -> [Int] { lines.map { start(of: $0, lineLength) } }

    private func start(of line: Int, _ length: Int) -> Int { line / inner * length * inner + line % inner }
}
