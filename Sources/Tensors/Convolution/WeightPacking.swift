import CKernels

/// How a convolution's weights are rearranged for the kernels: panels of output channels, each `[tap][input][channel of the
/// panel]`, zero where the last panel has no channels left. In bfloat16 an element is a pair of inputs; pairs are filled up
/// with zeros to the kernels' multiple.
struct WeightPacking {
    private let weight: Tensor
    private let adjoint: Bool
    private let precision: Precision
    /// The output channels of a panel.
    private let width: Int
    let taps: Int
    /// The 32-bit elements per tap and output channel: inputs, or pairs of them.
    let inputs: Int
    let outputs: Int
    let panels: Int

    /// The elements of one tap of one panel, and of a panel.
    var tapSize: Int { inputs * width }
    var panelSize: Int { taps * tapSize }

    /// - Parameters:
    ///   - weight: `[kD, kH, kW, in, out]`.
    ///   - adjoint: false: inputs and outputs as stored; true: exchanged, for the gradient of the input.
    ///   - precision: the format of the packed weights.
    init(_ weight: Tensor, adjoint: Bool, precision: Precision) {
        (self.weight, self.adjoint, self.precision) = (weight, adjoint, precision)
        width = Int(weight.cpu.kernelSet.table.pointee.panel)
        taps = weight.shape[0] * weight.shape[1] * weight.shape[2]
        outputs = weight.shape[adjoint ? 3 : 4]
        let count = weight.shape[adjoint ? 4 : 3]
        inputs = precision == .float32 ? count : weight.cpu.kernelSet.pairs(for: count)
        panels = (outputs + width - 1) / width
    }

    /// All panels, one after the other.
    func packed() -> Buffer {
        let buffer = Buffer(count: panels * panelSize, on: weight.cpu)
        weight.cpu.parallel(panels * taps) { task in
            pack(panel: task / taps, tap: task % taps, into: buffer.pointer + task * tapSize)
        }
        return buffer
    }

    /// One tap of one panel, ``tapSize`` elements.
    func pack(panel: Int, tap: Int, into target: UnsafeMutablePointer<Float>) {
        let (stored, columns) = (weight.shape[3], weight.shape[4])
        let source = weight.pointer + tap * stored * columns
        if precision == .float32 { return pack(panel: panel, tap: tap, inputs: 0..<inputs, into: target) }
        let first = panel * width
        let used = min(width, outputs - first)
        if used < width { target.update(repeating: 0, count: tapSize) }
        target.withMemoryRebound(to: UInt32.self, capacity: tapSize) { words in
            let pairs = ((adjoint ? columns : stored) + 1) / 2
            (words + pairs * width).update(repeating: 0, count: (inputs - pairs) * width)
            if adjoint {
                packRows(source + first * columns, used, columns, into: words)
            } else {
                interleaveRows(source + first, stored, used, columns, into: words)
            }
        }
    }

    /// Some inputs of one tap of one panel, in float32: `[input][channel of the panel]`.
    func pack(panel: Int, tap: Int, inputs: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        let (stored, columns) = (weight.shape[3], weight.shape[4])
        let source = weight.pointer + tap * stored * columns
        let first = panel * width
        let used = min(width, outputs - first)
        if used < width { target.update(repeating: 0, count: inputs.count * width) }
        if adjoint {
            ws_transpose(
                source + first * columns + inputs.lowerBound, Int64(columns), Int32(used), Int32(inputs.count), target,
                Int64(width))
        } else {
            for (row, k) in inputs.enumerated() {
                (target + row * width).update(from: source + k * columns + first, count: used)
            }
        }
    }

    /// Where a panel is stored as packing would leave it, with more from one input or tap to the next; `nil` if nowhere.
    func stored(panel: Int) -> UnsafePointer<Float>? {
        adjoint || precision != .float32 || (panel + 1) * width > outputs
            ? nil : UnsafePointer(weight.pointer + panel * width)
    }

    /// Where packing reads one tap of one panel, if it reads numbers without a gap, at most as many as it writes; `nil` if
    /// not.
    func place(panel: Int, tap: Int) -> UnsafePointer<Float>? {
        let columns = weight.shape[4]
        guard adjoint, precision == .float32 else { return nil }
        return UnsafePointer(weight.pointer + (tap * weight.shape[3] + panel * width) * columns)
    }

    /// `target[k * width + c] = (source[2k][c], source[2k + 1][c])`.
    private func interleaveRows(
        _ source: UnsafePointer<Float>, _ rows: Int, _ used: Int, _ columns: Int,
        into target: UnsafeMutablePointer<UInt32>
    ) {
        let interleave = weight.cpu.kernelSet.table.pointee.interleave!
        for k in 0..<(rows + 1) / 2 {
            let even = source + 2 * k * columns
            interleave(even, 2 * k + 1 < rows ? even + columns : nil, Int32(used), target + k * width)
        }
    }

    /// `target[k * width + row] = (source[row][2k], source[row][2k + 1])`.
    private func packRows(
        _ source: UnsafePointer<Float>, _ rows: Int, _ columns: Int, into target: UnsafeMutablePointer<UInt32>
    ) {
        let pairs = (columns + 1) / 2
        let rounded = Buffer(count: rows * pairs, on: weight.cpu)
        weight.cpu.kernelSet.table.pointee.round_rows(source, Int64(rows), Int32(columns), rounded.words)
        // Bits are moved, whatever they stand for.
        target.withMemoryRebound(to: Float.self, capacity: pairs * width) { target in
            ws_transpose(rounded.pointer, Int64(pairs), Int32(rows), Int32(pairs), target, Int64(width))
        }
    }
}
