import CKernels

/// Which products are computed in bfloat16, and how the outer one is.
///
/// The choice depends on the shapes alone, so that every kernel set computes the same function.
extension GatheredProduct {
    /// Whether ``multiply(_:adjoint:bias:into:rowLength:)`` gains: rounding a source voxel costs about as much as multiplying it
    /// in float32 by 32 outputs at one tap.
    func multipliesPairs(outputs: Int) -> Bool {
        cpu.precision == .bfloat16 && source.shape.channels >= 4 && taps * ((outputs + 31) / 32) >= 2
    }

    /// Whether ``outerProduct(with:)`` gains: pairing the pixels pays from one vector of channels on.
    func contractsPairs() -> Bool { cpu.precision == .bfloat16 && source.shape.channels >= 16 }

    /// ``outerProduct(with:)`` of operands rounded to bfloat16.
    ///
    /// A task is a group of chunks at a slice of the kernel: few taps where the sums are so many that they would leave
    /// the cache, many where pixels are so many that they would. Groups are added in order afterwards.
    func outerProductOfPairs(with other: Tensor) -> Tensor {
        let (inputs, outputs, panel) = (source.shape.channels, other.shape.channels, Int(kernels.panel))
        func whole(_ channels: Int) -> Int { (channels + panel - 1) / panel * panel }
        // What a tap's sums are: [inputs][outputs], or with tiles the transpose, each filled up to whole panels.
        let isTransposed = kernels.multiplies_tiles != 0
        let (width, tapSize) =
            isTransposed ? (whole(inputs), whole(outputs) * whole(inputs)) : (whole(outputs), inputs * whole(outputs))
        let count = chunks.chunks.count
        let tasks = 32, fewestChunks = 8, cachedSums = 3 << 16
        func groups(_ slices: Int) -> Int { max(1, min((tasks + slices - 1) / slices, count)) }
        let slices =
            geometry.slicings.first { slices in
                count / groups(slices.count) >= fewestChunks && slices[0].taps * tapSize <= cachedSums
            } ?? geometry.slicings.last!
        let groupCount = groups(slices.count)
        let sliceSize = slices[0].taps * tapSize
        let partial = Buffer(count: groupCount * taps * tapSize, on: cpu)
        let isResult = groupCount == 1 && !isTransposed && width == outputs
        let scratchSize = Int(ws_outer_scratch(Int32(inputs), Int32(outputs)))
        cpu.parallel(groupCount * slices.count) { task in
            let (group, slice) = (task / slices.count, task % slices.count)
            let scratch = Buffer(count: scratchSize, on: cpu)
            let sums = partial.pointer + task * sliceSize
            sums.update(repeating: 0, count: sliceSize)
            for chunk in (count * group / groupCount)..<(count * (group + 1) / groupCount) {
                withGathered(chunk, from: source.pointer, voxelBytes: inputs * 4, slices[slice]) {
                    table, index, pixels, zero in
                    kernels.gather_outer_pairs(
                        table, Int64(WS_CHUNK), pixels, Int32(slices[slice].taps), Int32(inputs), zero, other.pointer,
                        index, Int32(outputs), scratch.words, sums)
                }
            }
        }
        if isResult { return Tensor(shape: [taps, inputs, outputs], buffer: partial) }
        return Tensor(uninitialized: [taps, inputs, outputs], on: cpu) { result in
            let result = result.baseAddress!
            let rows = isTransposed ? outputs : inputs
            let parts = (rows + 63) / 64
            cpu.parallel(taps * parts) { task in
                let (tap, part) = (task / parts, task % parts)
                for row in (part * 64)..<min(rows, part * 64 + 64) {
                    let sums = partial.pointer + tap * tapSize + row * width
                    for group in 1..<max(1, groupCount) {
                        let addend = sums + group * taps * tapSize
                        for c in 0..<width { sums[c] += addend[c] }
                    }
                    if isTransposed {
                        let target = result + tap * inputs * outputs + row
                        for k in 0..<inputs { target[k * outputs] = sums[k] }
                    } else {
                        (result + (tap * inputs + row) * outputs).update(from: sums, count: outputs)
                    }
                }
            }
        }
    }
}

extension ws_geometry {
    /// Ways to cut the kernel into slices of equally many taps, coarsest first: whole, by depth, by rows, by taps.
    fileprivate var slicings: [[ws_geometry]] {
        let (depths, heights, widths) = (0..<kernel.0, 0..<kernel.1, 0..<kernel.2)
        return [
            [self],
            depths.map { slice($0..<$0 + 1, heights, widths) },
            depths.flatMap { d in heights.map { slice(d..<d + 1, $0..<$0 + 1, widths) } },
            depths.flatMap { d in
                heights.flatMap { h in widths.map { slice(d..<d + 1, h..<h + 1, $0..<$0 + 1) } }
            },
        ]
    }

    private func slice(_ depths: Range<Int32>, _ heights: Range<Int32>, _ widths: Range<Int32>) -> ws_geometry {
        var part = self
        part.kernel = (Int32(depths.count), Int32(heights.count), Int32(widths.count))
        part.padding = (
            padding.0 - depths.lowerBound * dilation.0, padding.1 - heights.lowerBound * dilation.1,
            padding.2 - widths.lowerBound * dilation.2
        )
        return part
    }
}
