extension UnsafeMutableBufferPointer<Float> {
    /// Replaces each voxel by what `transform` makes of it.
    @inline(__always)
    func map(_ transform: (Float) -> Float) {
        for index in indices { self[index] = transform(self[index]) }
    }

    /// Smallest and largest value; zeros if there is none.
    var limits: (low: Float, high: Float) {
        guard var low = first else { return (0, 0) }
        var high = low
        for value in self {
            low = Swift.min(low, value)
            high = Swift.max(high, value)
        }
        return (low, high)
    }

    /// The mean, in double precision.
    var mean: Double {
        var sum = 0.0
        for value in self { sum += Double(value) }
        return sum / Double(Swift.max(count, 1))
    }

    /// Mean and standard deviation (of a sample), in two passes in double precision.
    var moments: (mean: Double, deviation: Double) {
        let mean = mean
        var squares = 0.0
        for value in self {
            let difference = Double(value) - mean
            squares += difference * difference
        }
        return (mean, (squares / Double(Swift.max(count - 1, 1))).squareRoot())
    }
}
