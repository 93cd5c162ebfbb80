/// The exact squared distance transform of one line of voxels, in time linear in its length.
///
/// `result[p] = min over q of values[q] + (spacing · (p − q))²`: the lower envelope of equal parabolas, one above each
/// voxel with a finite value (Felzenszwalb and Huttenlocher 2012). Keeps the working memory for lines of one length, so
/// each thread needs its own.
final class LowerEnvelope {
    private let spacingMM: Double
    /// The voxel at which each parabola of the envelope has its vertex.
    private let positions: UnsafeMutablePointer<Int>
    /// The value at each vertex.
    private let heights: UnsafeMutablePointer<Double>
    /// The place, in voxels, from which each parabola is the lowest; it ends where the next begins.
    private let starts: UnsafeMutablePointer<Double>

    /// For lines of at most `length` voxels.
    init(length: Int, spacingMM: Double) {
        self.spacingMM = spacingMM
        positions = .allocate(capacity: length)
        heights = .allocate(capacity: length)
        starts = .allocate(capacity: length)
    }

    deinit {
        positions.deallocate()
        heights.deallocate()
        starts.deallocate()
    }

    /// Transforms `values`, infinite where there is nothing to measure from, and hands each voxel's result to `receive`.
    @inline(__always)
    func transform(
        _ values: UnsafeMutableBufferPointer<Double>, _ receive: (_ position: Int, _ squaredMM: Double) -> Void
    ) {
        let count = build(values)
        guard count > 0 else {
            for position in 0..<values.count { receive(position, .infinity) }
            return
        }
        var current = 0
        for position in 0..<values.count {
            while current + 1 < count, starts[current + 1] <= Double(position) { current += 1 }
            let millimetres = Double(position - positions[current]) * spacingMM
            receive(position, heights[current] + millimetres * millimetres)
        }
    }

    /// Finds the parabolas of the envelope from left to right, and returns their number.
    private func build(_ values: UnsafeMutableBufferPointer<Double>) -> Int {
        let scale = 1 / (2 * spacingMM * spacingMM)
        var count = 0
        for position in 0..<values.count {
            let value = values[position]
            guard value < .infinity else { continue }
            var start = -Double.infinity
            while count > 0 {
                // Right of where the new parabola meets the last one, the new one is the lower.
                let last = positions[count - 1]
                start = Double(position + last) / 2 + (value - heights[count - 1]) * scale / Double(position - last)
                if start > starts[count - 1] { break }
                count -= 1
            }
            (positions[count], heights[count]) = (position, value)
            starts[count] = count == 0 ? -.infinity : start
            count += 1
        }
        return count
    }
}
