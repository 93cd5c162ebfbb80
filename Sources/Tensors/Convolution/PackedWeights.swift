/// A convolution's weights, rearranged for the kernels: `[panel][tap][input][channel of the panel]`, zero where the last
/// panel has no channels left.
struct PackedWeights {
    let buffer: Buffer
    let inputs: Int
    let outputs: Int
    let panels: Int
    let panelSize: Int

    /// - Parameters:
    ///   - weight: `[kD, kH, kW, in, out]`.
    ///   - adjoint: false: inputs and outputs as stored; true: exchanged, for the gradient of the input.
    init(_ weight: Tensor, adjoint: Bool) {
        let cpu = weight.cpu
        let width = Int(cpu.kernelSet.table.pointee.panel)
        let taps = weight.shape[0] * weight.shape[1] * weight.shape[2]
        let (stored, columns) = (weight.shape[3], weight.shape[4])
        let (inputs, outputs) = adjoint ? (columns, stored) : (stored, columns)
        let panelSize = taps * inputs * width
        (self.inputs, self.outputs, self.panelSize) = (inputs, outputs, panelSize)
        panels = (outputs + width - 1) / width
        let buffer = Buffer(count: panels * panelSize, on: cpu)
        self.buffer = buffer
        cpu.parallel(panels * taps) { task in
            let (panel, tap) = (task / taps, task % taps)
            let source = weight.pointer + tap * stored * columns
            let target = buffer.pointer + panel * panelSize + tap * inputs * width
            let first = panel * width
            let used = min(width, outputs - first)
            if used < width { target.update(repeating: 0, count: inputs * width) }
            if adjoint {
                for c in 0..<used {
                    for k in 0..<inputs { target[k * width + c] = source[(first + c) * columns + k] }
                }
            } else {
                for k in 0..<inputs { (target + k * width).update(from: source + k * columns + first, count: used) }
            }
        }
    }
}
