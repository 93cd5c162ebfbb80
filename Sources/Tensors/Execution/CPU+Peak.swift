import CKernels

extension CPU {
    /// Billions of multiplications and additions per second that all threads together reach on registers alone, in this
    /// precision: what no kernel of the set can exceed without multiplying less. Takes about a second.
    public func peakGFlops() -> Double {
        let multiply = kernelSet.table.pointee.multiply_registers!
        let paired: Int32 = precision == .bfloat16 ? 1 : 0
        let rounds: Int64 = 2_000_000
        var best = 0.0
        for _ in 0..<5 {
            let operations = Buffer(count: threads, on: self)
            let start = ContinuousClock.now
            parallel(threads) { task in
                var sums = [Float](repeating: 0.5, count: 64)
                operations.pointer[task] = Float(multiply(paired, rounds, &sums))
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            let total = (0..<threads).reduce(0) { $0 + Double(operations.pointer[$1]) }
            best = max(best, total / seconds / 1e9)
        }
        return best
    }
}
