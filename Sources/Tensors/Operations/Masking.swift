/// `x` with the hidden blocks counting as zero, as a masked map: operations on it visit its visible voxels only.
///
/// - Parameters:
///   - x: `[N, D, H, W, C]`, an extent that is a multiple of the mask's grid; dense, or masked by the same mask.
///   - mask: `[N, gD, gH, gW]`.
public func hide(_ x: Tensor, _ mask: BlockMask) -> Tensor {
    check(
        mask.samples == x.shape.samples && mask.cell(in: x.shape.extent) != nil,
        "a mask of \(mask.samples) grids of \(mask.grid) cells does not fit maps of shape \(x.shape)")
    // Else the gradient would be claimed to be hidden where only the other mask hides.
    check(x.visibility == nil || x.visibility == mask, "a masked map is hidden by another mask")
    let visibility = x.visibility
    return copied(x, hiding: mask).recorded(from: [x]) { gradient in
        let visible = hidden(&gradient, mask)
        return [visibility == nil ? visible.filledWithZeros() : visible]
    }
}

/// A dense map that equals `x` where visible and a learned token where hidden.
///
/// - Parameters:
///   - x: a masked map `[N, D, H, W, C]`; returned unchanged if it is dense.
///   - token: `[C]` in its last axis, all others 1.
public func fillHidden(_ x: Tensor, token: Tensor) -> Tensor {
    guard let mask = x.visibility else { return x }
    let channels = x.shape.channels
    check(token.shape.count == channels, "a token of shape \(token.shape) for \(channels) channels")
    let hiddenSpans = Spans(
        samples: x.shape.samples, extent: x.shape.extent, mask: mask, hidden: true,
        pieceVoxels: max(64, 1 << 16 / channels))
    func filled(_ x: Tensor) -> Tensor {
        let result = Tensor(shape: x.shape, buffer: Buffer(count: x.shape.count, on: x.cpu))
        copyVisible(from: x.pointer, to: result.pointer, Spans(of: x), channels, x.cpu)
        x.cpu.parallel(hiddenSpans.pieces.count) { piece in
            for span in hiddenSpans.spans[hiddenSpans.pieces[piece].spans] {
                for voxel in Int(span.start)..<Int(span.start + span.count) {
                    (result.pointer + voxel * channels).update(from: token.pointer, count: channels)
                }
            }
        }
        return result
    }
    let kept = Kept(x, if: [x, token].needGradient)
    let filling = Filling(mask: mask, reach: 0, firstChannel: 0)
    return filled(x).known(as: filling).recorded(from: [x, token]) { gradient in
        var tokenGradient: Tensor?
        if token.needsGradient {
            tokenGradient = Tensor(channelTotals(gradient, over: hiddenSpans), shape: token.shape, on: token.cpu)
        }
        return [kept.needsGradient ? hidden(&gradient, mask) : nil, tokenGradient]
    }.remakable { filled(kept.value) }
}

/// The sum over the spans' voxels for each channel. Threads share the channels: a sum's order is that of the voxels.
private func channelTotals(_ map: Tensor, over spans: Spans) -> [Float] {
    let channels = map.shape.channels
    // As many as lie on a line of the cache.
    let group = 16
    return Tensor(uninitialized: [channels], on: map.cpu) { totals in
        let totals = totals.baseAddress!
        map.cpu.parallel((channels + group - 1) / group) { task in
            let some = (task * group)..<min(channels, (task + 1) * group)
            var sums = [Double](repeating: 0, count: some.count)
            sums.withUnsafeMutableBufferPointer { sums in
                for span in spans.spans {
                    for voxel in Int(span.start)..<Int(span.start + span.count) {
                        let numbers = map.pointer + voxel * channels + some.lowerBound
                        for c in 0..<sums.count { sums[c] += Double(numbers[c]) }
                    }
                }
            }
            for (c, sum) in zip(some, sums) { totals[c] = Float(sum) }
        }
    }.scalars
}

/// A masked copy.
private func copied(_ x: Tensor, hiding mask: BlockMask) -> Tensor {
    let result = Tensor(shape: x.shape, buffer: Buffer(count: x.shape.count, on: x.cpu), visibility: mask)
    copyVisible(from: x.pointer, to: result.pointer, Spans(of: result), x.shape.channels, x.cpu)
    return result
}

/// A gradient as a masked map, in its own memory where nobody else holds that: others shall not lose its voxels.
private func hidden(_ gradient: inout Tensor, _ mask: BlockMask) -> Tensor {
    guard gradient.isUnshared() else { return copied(gradient, hiding: mask) }
    return Tensor(shape: gradient.shape, buffer: gradient.buffer, visibility: mask)
}

private func copyVisible(
    from source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ spans: Spans, _ channels: Int,
    _ cpu: CPU
) {
    cpu.parallel(spans.pieces.count) { piece in
        for span in spans.spans[spans.pieces[piece].spans] {
            let first = Int(span.start) * channels
            (target + first).update(from: source + first, count: Int(span.count) * channels)
        }
    }
}

extension Tensor {
    /// This map, dense: zero where it was hidden. Not recorded.
    func filledWithZeros() -> Tensor {
        guard visibility != nil else { return detached }
        clearHidden()
        // What makes the content again makes the visible voxels only.
        guard buffer.remake != nil else { return Tensor(shape: shape, buffer: buffer) }
        return Tensor(scalars, shape: shape, on: cpu)
    }
}
