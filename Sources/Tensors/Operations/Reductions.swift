import CKernels

extension CPU {
    /// The sum of `term(i)` over `0..<count` in float64, cut into fixed stretches whose sums are added in order.
    func sum(_ count: Int, _ term: (Int) -> Double) -> Double {
        let stretch = 1 << 13
        return sum(ofPieces: (count + stretch - 1) / stretch) { index in
            var total = 0.0
            for i in (index * stretch)..<min(count, (index + 1) * stretch) { total += term(i) }
            return total
        }
    }

    /// The sum of what `piece` gives for each index in `0..<count`, in parallel, added in order.
    func sum(ofPieces count: Int, _ piece: (Int) -> Double) -> Double {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, count)) { partial in
            let partial = partial.baseAddress!
            parallel(count) { partial[$0] = piece($0) }
            return (0..<count).reduce(0) { $0 + partial[$1] }
        }
    }
}

/// The sum of all elements, a scalar.
public func sum(_ x: Tensor) -> Tensor {
    let total = Float(x.visibility == nil ? x.cpu.sum(x.shape.count) { Double(x.pointer[$0]) } : visibleSum(x))
    return Tensor([total], shape: [], on: x.cpu).recorded(from: [x]) { gradient in
        [x.elementwise { out, range in for i in range { out[i] = gradient.item } }]
    }
}

/// The sum over the visible voxels in float64, piece by piece.
private func visibleSum(_ x: Tensor) -> Double {
    let (spans, channels) = (Spans(of: x), x.shape.channels)
    return x.cpu.sum(ofPieces: spans.pieces.count) { piece in
        var total = 0.0
        for span in spans.spans[spans.pieces[piece].spans] {
            for i in (Int(span.start) * channels)..<(Int(span.start + span.count) * channels) {
                total += Double(x.pointer[i])
            }
        }
        return total
    }
}

/// The mean of all elements, a scalar.
public func mean(_ x: Tensor) -> Tensor { scale(sum(x), by: 1 / Float(x.shape.count)) }

/// The sum over the voxels of each sample and channel: from `[N, D, H, W, C]`, dense, to `[N, 1, 1, 1, C]`.
public func spatialSums(_ x: Tensor) -> Tensor {
    check(x.visibility == nil, "spatialSums wants a dense map")
    let (samples, channels, volume) = (x.shape.samples, x.shape.channels, x.shape.extent.volume)
    let stretch = 1 << 13
    let perSample = (volume + stretch - 1) / stretch
    var partial = [Double](repeating: 0, count: samples * perSample * channels)
    partial.withUnsafeMutableBufferPointer { partial in
        x.cpu.parallel(samples * perSample) { task in
            let first = task % perSample * stretch
            for voxel in first..<min(volume, first + stretch) {
                let row = x.pointer + (task / perSample * volume + voxel) * channels
                for c in 0..<channels { partial[task * channels + c] += Double(row[c]) }
            }
        }
    }
    let totals = (0..<samples * channels).map { index in
        let first = index / channels * perSample
        return (first..<first + perSample).reduce(0) { $0 + partial[$1 * channels + index % channels] }
    }
    let shape = Shape(samples: samples, extent: 1, channels: channels)
    return Tensor(totals.map(Float.init), shape: shape, on: x.cpu).recorded(from: [x]) { gradient in
        let dx = Tensor(shape: x.shape, buffer: Buffer(count: x.shape.count, on: x.cpu))
        x.cpu.parallelStretches(samples * volume) { range in
            for voxel in range {
                (dx.pointer + voxel * channels).update(
                    from: gradient.pointer + voxel / volume * channels, count: channels)
            }
        }
        return [dx]
    }
}

/// The sum over samples and visible voxels of each channel, `[C]`; not differentiable.
func channelSums(_ x: Tensor, visibility: BlockMask?) -> Tensor {
    let channels = x.shape.channels
    let spans = Spans(
        samples: x.shape.samples, extent: x.shape.extent, mask: visibility, pieceVoxels: max(64, 1 << 14 / channels))
    let partial = Buffer(count: max(1, spans.pieces.count) * channels, on: x.cpu)
    partial.pointer.update(repeating: 0, count: partial.count)
    let kernels = x.cpu.kernelSet.table.pointee
    x.cpu.parallel(spans.pieces.count) { piece in
        spans.withPiece(piece) { pointer, count in
            kernels.channel_sums(x.pointer, pointer, count, Int32(channels), partial.pointer + piece * channels)
        }
    }
    var totals = [Double](repeating: 0, count: channels)
    withExtendedLifetime(partial) {
        for piece in 0..<spans.pieces.count {
            for c in 0..<channels { totals[c] += Double(partial.pointer[piece * channels + c]) }
        }
    }
    return Tensor(totals.map(Float.init), shape: [channels], on: x.cpu)
}
