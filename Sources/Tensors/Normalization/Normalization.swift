import CKernels

/// Which elements share a mean and a variance.
enum StatisticsPool: Equatable {
    /// Channels `c / size * size ..< ...` of one sample: group norm; with size 1 instance norm.
    case groups(channelsPerGroup: Int)
    /// One channel of the whole batch: batch norm.
    case batch
}

/// Mean and biased variance per sample and channel, `[N][C]`, equal within a pool.
struct PooledStatistics {
    var mean: [Double]
    var variance: [Double]
    /// The number of elements in the pool that each sample and channel belongs to.
    var count: [Double]
    let channels: Int

    /// Statistics of the visible voxels of `x`: per piece in float32, relative to the piece's first voxel, then merged in
    /// order in float64 by Chan's formula.
    init(of x: Tensor, spans: Spans, pool: StatisticsPool) {
        let channels = x.shape.channels
        self.channels = channels
        let pieceMoments = Buffer(count: max(1, spans.pieces.count * 2 * channels), on: x.cpu)
        let kernels = x.cpu.kernelSet.table.pointee
        x.cpu.parallel(spans.pieces.count) { piece in
            spans.withPiece(piece) { pointer, count in
                let moments = pieceMoments.pointer + piece * 2 * channels
                kernels.moments(
                    x.pointer, x.pointer + spans.pivot(of: piece) * channels, pointer, count, Int32(channels), moments,
                    moments + channels)
            }
        }
        let samples = x.shape.samples
        var merged = [Moments](repeating: Moments(), count: samples * channels)
        withExtendedLifetime(pieceMoments) {
            for (index, piece) in spans.pieces.enumerated() {
                let moments = pieceMoments.pointer + index * 2 * channels
                let pivot = x.pointer + spans.pivot(of: index) * channels
                for c in 0..<channels {
                    let (mean, squares) = (Double(pivot[c]) + Double(moments[c]), Double(moments[channels + c]))
                    merged[piece.sample * channels + c].merge(
                        Moments(count: Double(piece.voxels), mean: mean, squares: squares))
                }
            }
        }
        switch pool {
        case .groups(let size):
            guard size > 1 else { break }
            for first in stride(from: 0, to: merged.count, by: size) {
                let sum = merged[first..<first + size].reduce(into: Moments()) { $0.merge($1) }
                for index in first..<first + size { merged[index] = sum }
            }
        case .batch:
            for c in 0..<channels {
                let sum = (0..<samples).reduce(into: Moments()) { $0.merge(merged[$1 * channels + c]) }
                for sample in 0..<samples { merged[sample * channels + c] = sum }
            }
        }
        mean = merged.map(\.mean)
        variance = merged.map { $0.count > 0 ? $0.squares / $0.count : 0 }
        count = merged.map(\.count)
    }

    /// Given statistics per channel, the same for every sample.
    init(mean: [Float], variance: [Float], samples: Int) {
        channels = mean.count
        self.mean = (0..<samples).flatMap { _ in mean.map(Double.init) }
        self.variance = (0..<samples).flatMap { _ in variance.map(Double.init) }
        count = [Double](repeating: 0, count: samples * channels)
    }

    private struct Moments {
        var count = 0.0
        var mean = 0.0
        var squares = 0.0

        mutating func merge(_ other: Moments) {
            guard other.count > 0 else { return }
            let total = count + other.count
            let difference = other.mean - mean
            squares += other.squares + difference * difference * count * other.count / total
            mean += difference * other.count / total
            count = total
        }
    }
}

/// `y = a((x - mean) / sqrt(variance + epsilon) * weight + bias + residual)` with `a` a leaky ReLU; its gradient flows
/// through the statistics unless they are given.
struct Normalization {
    let pool: StatisticsPool
    let epsilon: Double
    /// 1: no activation.
    let slope: Float
    /// Running statistics to use instead of those of `x`.
    var given: PooledStatistics?

    /// Without gradients the result takes up the memory of a residual, or else of an `x`, that the caller hands over and
    /// nobody else holds.
    func apply(
        _ x: consuming Tensor, weight: Tensor?, bias: Tensor?, residual: consuming Tensor?
    ) -> (output: Tensor, PooledStatistics) {
        var (x, residual) = (x, residual)
        let channels = x.shape.channels
        check(
            weight.map { $0.shape == [channels] } ?? true && bias.map { $0.shape == [channels] } ?? true,
            "a norm of \(channels) channels got weight \(weight?.shape ?? []) and bias \(bias?.shape ?? [])")
        check(
            residual.map { $0.shape == x.shape && $0.visibility == x.visibility } ?? true, "a residual unlike its sum")
        let spans = Spans(of: x)
        let statistics = given ?? PooledStatistics(of: x, spans: spans, pool: pool)
        let affine = Affine(statistics, epsilon: epsilon, weight: weight, bias: bias)
        guard [x, weight, bias, residual].contains(where: { $0?.needsGradient ?? false }) else {
            let target = residual?.isUnshared() ?? false ? residual : x.isUnshared() ? x : nil
            return (applied(affine, to: MapVoxels(x), residual: residual, spans, into: target), statistics)
        }
        let inputs = [x] + [weight, bias, residual].compactMap { $0 }
        let output = applied(affine, to: MapVoxels(x), residual: residual, spans)
        var kept = Kept(x)
        // `nil` for those that there are none of. The residual itself need not live until then.
        let needs = (weight: weight?.needsGradient, bias: bias?.needsGradient, residual: residual?.needsGradient)
        // Of a sum, the activation's sign is not known from x.
        let signs = residual == nil || slope == 1 ? nil : Kept(output)
        let recorded = output.recorded(from: inputs) { gradient in
            let all = pullback(
                &gradient, &kept, signs, affine, spans, statistics, weight: needs.weight ?? false,
                bias: needs.bias ?? false, residual: needs.residual ?? false)
            return [all.x]
                + [
                    needs.weight.map { _ in all.weight }, needs.bias.map { _ in all.bias },
                    needs.residual.map { _ in all.residual },
                ]
                .compactMap { $0 }
        }
        guard residual == nil else { return (recorded, statistics) }
        return (recorded.remakable { [kept] in applied(affine, to: kept.voxels, residual: nil, spans) }, statistics)
    }

    /// - Parameter target: `x` or the residual itself, to be overwritten.
    private func applied(
        _ affine: Affine, to x: MapVoxels, residual: Tensor?, _ spans: Spans, into target: Tensor? = nil
    ) -> Tensor {
        let (channels, cpu) = (x.shape.channels, x.cpu)
        let output = target ?? x.emptyMap()
        let kernels = cpu.kernelSet.table.pointee
        cpu.parallel(spans.pieces.count) { piece in
            let first = spans.pieces[piece].sample * channels
            spans.withPiece(piece) { pointer, count in
                affine.withPointers(from: first) { mean, scale, shift in
                    kernels.affine_activate(
                        x.pointer(piece: piece, of: spans), x.isPacked ? 1 : 0, mean, scale, shift, residual?.pointer,
                        slope, pointer, count, Int32(channels), output.pointer)
                }
            }
        }
        return output
    }

    private func pullback(
        _ gradient: inout Tensor, _ kept: inout Kept, _ signs: Kept?, _ affine: Affine, _ spans: Spans,
        _ statistics: PooledStatistics, weight needsWeight: Bool, bias needsBias: Bool, residual needsResidual: Bool
    ) -> (x: Tensor?, weight: Tensor?, bias: Tensor?, residual: Tensor?) {
        let (channels, cpu) = (kept.shape.channels, gradient.cpu)
        var x = kept.takeVoxels()
        let y = signs?.value
        let kernels = cpu.kernelSet.table.pointee
        let (mean32, rate, gamma) = (affine.mean, affine.rate, affine.gamma)
        let rate32 = rate.map(Float.init)
        // The memory of the gradient, and then that of x, takes up results if nobody else holds it.
        let own = gradient.visibility == x.visibility && gradient.isUnshared() ? gradient : nil
        let dz = needsResidual ? own ?? x.emptyMap() : nil
        // Sums of dz and of dz * normalized x, per piece, then per sample and channel.
        let partial = Buffer(count: max(1, spans.pieces.count * 2 * channels), on: cpu)
        cpu.parallel(spans.pieces.count) { piece in
            let first = spans.pieces[piece].sample * channels
            spans.withPiece(piece) { pointer, count in
                affine.withPointers(from: first) { mean, scale, shift in
                    rate32.withUnsafeBufferPointer { rate in
                        let sums = partial.pointer + piece * 2 * channels
                        kernels.norm_backward_sums(
                            x.pointer(piece: piece, of: spans), x.isPacked ? 1 : 0, y?.pointer, gradient.pointer, mean,
                            rate.baseAddress! + first, scale, shift,
                            slope, pointer, count, Int32(channels), dz?.pointer, sums, sums + channels)
                    }
                }
            }
        }
        var sum = [Double](repeating: 0, count: statistics.mean.count)
        var product = sum
        withExtendedLifetime(partial) {
            for (index, piece) in spans.pieces.enumerated() {
                let sums = partial.pointer + index * 2 * channels
                for c in 0..<channels {
                    sum[piece.sample * channels + c] += Double(sums[c])
                    product[piece.sample * channels + c] += Double(sums[channels + c])
                }
            }
        }
        let meanError = statistics.mean.indices.map { statistics.mean[$0] - Double(mean32[$0]) }
        for index in product.indices { product[index] -= meanError[index] * rate[index] * sum[index] }
        func perChannel(_ sums: [Double]) -> Tensor {
            let totals = (0..<channels).map { c in
                Float(stride(from: c, to: sums.count, by: channels).reduce(0) { $0 + sums[$1] })
            }
            return Tensor(totals, shape: [channels], on: cpu)
        }
        let weightGradient = needsWeight ? perChannel(product) : nil
        let biasGradient = needsBias ? perChannel(sum) : nil
        guard kept.needsGradient else { return (nil, weightGradient, biasGradient, dz) }

        // dx = rate (gamma dz - mean of gamma dz - normalized x * mean of gamma dz normalized x), means over the pool.
        let scale = rate.indices.map { Float(rate[$0] * Double(gamma[$0 % channels])) }
        var slopeOfX = [Float](repeating: 0, count: rate.count)
        var shift = slopeOfX
        if given == nil {
            let (pooledSum, pooledProduct) = (pooled(sum, gamma, channels), pooled(product, gamma, channels))
            for index in rate.indices where statistics.count[index] > 0 {
                let ofX = -rate[index] * rate[index] * pooledProduct[index] / statistics.count[index]
                slopeOfX[index] = Float(ofX)
                shift[index] = Float(-rate[index] * pooledSum[index] / statistics.count[index] - ofX * meanError[index])
            }
        }
        let dx = (dz == nil ? own : x.freeMap()) ?? x.emptyMap()
        let coefficients = scale + slopeOfX + shift
        let row = rate.count
        cpu.parallel(spans.pieces.count) { piece in
            let first = spans.pieces[piece].sample * channels
            spans.withPiece(piece) { pointer, count in
                affine.withPointers(from: first) { mean, scale, shift in
                    coefficients.withUnsafeBufferPointer { all in
                        let base = all.baseAddress! + first
                        // Where dz was written, the activation is already undone: a slope of 1 takes it as it is.
                        kernels.norm_backward_apply(
                            x.pointer(piece: piece, of: spans), x.isPacked ? 1 : 0, y?.pointer,
                            (dz ?? gradient).pointer, mean, scale, shift, base, base + row,
                            base + 2 * row, dz == nil ? slope : 1, pointer, count, Int32(channels), dx.pointer)
                    }
                }
            }
        }
        return (dx, weightGradient, biasGradient, dz)
    }

    /// The sum of `gamma * sums` over each element's pool.
    private func pooled(_ sums: [Double], _ gamma: [Float], _ channels: Int) -> [Double] {
        let weighted = sums.indices.map { sums[$0] * Double(gamma[$0 % channels]) }
        switch pool {
        case .groups(let size):
            return weighted.indices.map { weighted[($0 / size * size)..<($0 / size * size + size)].reduce(0, +) }
        case .batch:
            return weighted.indices.map { index in
                stride(from: index % channels, to: weighted.count, by: channels).reduce(0) { $0 + weighted[$1] }
            }
        }
    }
}

/// What a norm does to each channel of each sample: `(x - mean) * scale + shift`.
private struct Affine {
    let mean, scale, shift: [Float]
    /// `1 / sqrt(variance + epsilon)`.
    let rate: [Double]
    /// The scale that was learned, per channel.
    let gamma: [Float]

    init(_ statistics: PooledStatistics, epsilon: Double, weight: Tensor?, bias: Tensor?) {
        let channels = statistics.channels
        let rate = statistics.variance.map { 1 / ($0 + epsilon).squareRoot() }
        let gamma = weight?.scalars ?? [Float](repeating: 1, count: channels)
        let beta = bias?.scalars ?? [Float](repeating: 0, count: channels)
        let mean = statistics.mean.map(Float.init)
        let scale = rate.indices.map { Float(rate[$0]) * gamma[$0 % channels] }
        // What float32 loses of a large mean goes into the shift.
        shift = rate.indices.map {
            Float(Double(beta[$0 % channels]) - (statistics.mean[$0] - Double(mean[$0])) * Double(scale[$0]))
        }
        (self.rate, self.gamma, self.mean, self.scale) = (rate, gamma, mean, scale)
    }

    /// Gives `body` mean, scale and shift of a sample, whose channels begin at `first`.
    func withPointers(
        from first: Int,
        _ body: (_ mean: UnsafePointer<Float>, _ scale: UnsafePointer<Float>, _ shift: UnsafePointer<Float>) -> Void
    ) {
        mean.withUnsafeBufferPointer { mean in
            scale.withUnsafeBufferPointer { scale in
                shift.withUnsafeBufferPointer { shift in
                    body(mean.baseAddress! + first, scale.baseAddress! + first, shift.baseAddress! + first)
                }
            }
        }
    }
}

extension Spans {
    /// The first voxel of a piece.
    fileprivate func pivot(of piece: Int) -> Int { Int(spans[pieces[piece].spans.lowerBound].start) }

    func withPiece(_ piece: Int, _ body: (UnsafePointer<ws_span>, Int64) -> Void) {
        spans.withUnsafeBufferPointer {
            body($0.baseAddress! + pieces[piece].spans.lowerBound, Int64(pieces[piece].spans.count))
        }
    }
}
