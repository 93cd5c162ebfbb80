import CKernels

/// A convolution's weights, rearranged for the kernels: `[panel][tap][input][channel of the panel]`, zero where the last
/// panel has no channels left. In bfloat16 an element is a pair of inputs; pairs are filled up with zeros to the kernels'
/// multiple.
struct PackedWeights {
    let buffer: Buffer
    /// The 32-bit elements per tap and output channel: inputs, or pairs of them.
    let inputs: Int
    let panels: Int
    let panelSize: Int

    /// - Parameters:
    ///   - weight: `[kD, kH, kW, in, out]`.
    ///   - adjoint: false: inputs and outputs as stored; true: exchanged, for the gradient of the input.
    ///   - precision: the format of the packed weights.
    init(_ weight: Tensor, adjoint: Bool, precision: Precision) {
        let cpu = weight.cpu
        let width = Int(cpu.kernelSet.table.pointee.panel)
        let taps = weight.shape[0] * weight.shape[1] * weight.shape[2]
        let (stored, columns) = (weight.shape[3], weight.shape[4])
        let outputs = adjoint ? stored : columns
        let count = adjoint ? columns : stored
        let inputs = precision == .float32 ? count : cpu.kernelSet.pairs(for: count)
        let panelSize = taps * inputs * width
        (self.inputs, self.panelSize) = (inputs, panelSize)
        panels = (outputs + width - 1) / width
        let buffer = Buffer(count: panels * panelSize, on: cpu)
        self.buffer = buffer
        cpu.parallel(panels * taps) { task in
            let (panel, tap) = (task / taps, task % taps)
            let source = weight.pointer + tap * stored * columns
            let offset = panel * panelSize + tap * inputs * width
            let target = buffer.pointer + offset
            let first = panel * width
            let used = min(width, outputs - first)
            if used < width { target.update(repeating: 0, count: inputs * width) }
            switch (precision, adjoint) {
            case (.float32, true):
                ws_transpose(
                    source + first * columns, Int64(columns), Int32(used), Int32(inputs), target, Int64(width))
            case (.float32, false):
                for k in 0..<inputs { (target + k * width).update(from: source + k * columns + first, count: used) }
            case (.bfloat16, true):
                Self.clear(buffer.words + offset, from: (columns + 1) / 2, to: inputs, width)
                Self.packRows(source + first * columns, used, columns, into: buffer.words + offset, width, cpu)
            case (.bfloat16, false):
                let interleave = cpu.kernelSet.table.pointee.interleave!
                let pairs = (stored + 1) / 2
                Self.clear(buffer.words + offset, from: pairs, to: inputs, width)
                for k in 0..<pairs {
                    let even = source + 2 * k * columns + first
                    let odd = 2 * k + 1 < stored ? even + columns : nil
                    interleave(even, odd, Int32(used), buffer.words + offset + k * width)
                }
            }
        }
    }

    private static func clear(_ target: UnsafeMutablePointer<UInt32>, from first: Int, to end: Int, _ width: Int) {
        (target + first * width).update(repeating: 0, count: (end - first) * width)
    }

    /// `target[k * width + row] = (source[row][2k], source[row][2k + 1])`.
    private static func packRows(
        _ source: UnsafePointer<Float>, _ rows: Int, _ columns: Int, into target: UnsafeMutablePointer<UInt32>,
        _ width: Int, _ cpu: CPU
    ) {
        let pairs = (columns + 1) / 2
        let rounded = Buffer(count: rows * pairs, on: cpu)
        let words = rounded.words
        cpu.kernelSet.table.pointee.round_rows(source, Int64(rows), Int32(columns), words)
        // Bits are moved, whatever they stand for.
        target.withMemoryRebound(to: Float.self, capacity: pairs * width) { target in
            ws_transpose(rounded.pointer, Int64(pairs), Int32(rows), Int32(pairs), target, Int64(width))
        }
    }
}
