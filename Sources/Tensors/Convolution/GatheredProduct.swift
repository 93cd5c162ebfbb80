import CKernels

/// The two products that every convolution, transposed convolution, linear layer and their gradients consist of.
///
/// Pixels of one map gather voxels of another (the source), per tap. Voxels outside the source, like hidden ones, are
/// zero. A dense map is the case where every pixel is computed; nothing else distinguishes sparse from dense.
struct GatheredProduct {
    let source: Tensor
    let geometry: ws_geometry
    let chunks: PixelChunks
    private let taps: Int
    private var cpu: CPU { source.cpu }
    private var kernels: ws_kernels { cpu.kernelSet.table.pointee }

    /// - Parameters:
    ///   - source: the map to gather from, `[N, D, H, W, C]`.
    ///   - pixels: the extent of the map whose voxels gather.
    ///   - mask: which of these voxels are visible.
    init(source: Tensor, geometry: ConvGeometry, pixels: Extent3, mask: BlockMask?, transposed: Bool) {
        self.source = source
        self.geometry = geometry.gathering(source: source.shape.extent, pixels: pixels, transposed: transposed)
        chunks = PixelChunks(
            samples: source.shape.samples, extent: pixels, mask: mask, phases: transposed ? geometry.stride : 1)
        taps = geometry.kernel.volume
    }

    /// Writes `output[pixel][c] = bias[c] + sum over taps t, channels k of source[pixel seen at t][k] weights[t][k][c]`
    /// for every visible pixel.
    ///
    /// - Parameter bias: one number per output channel, or `nil` for zeros.
    func multiply(_ weights: PackedWeights, bias: Tensor?, into output: UnsafeMutablePointer<Float>) {
        let panel = Int(kernels.panel)
        let biases = Buffer(count: weights.panels * panel, on: cpu)
        biases.pointer.update(repeating: 0, count: biases.count)
        if let bias { biases.pointer.update(from: bias.pointer, count: weights.outputs) }
        // Few pixels (the bottleneck) are shared by panels, many (full resolution) by chunks.
        let shares = min(weights.panels, max(1, 32 / max(1, chunks.chunks.count)))
        cpu.parallel(chunks.chunks.count * shares) { task in
            let (share, chunk) = (task / chunks.chunks.count, task % chunks.chunks.count)
            withGathered(chunk) { table, index, pixels, zero in
                for p in (weights.panels * share / shares)..<(weights.panels * (share + 1) / shares) {
                    kernels.gather_multiply(
                        table, Int64(WS_CHUNK), pixels, Int32(taps), Int32(weights.inputs), zero,
                        weights.buffer.pointer + p * weights.panelSize, biases.pointer + p * panel, output + p * panel,
                        index, Int64(weights.outputs), Int32(min(panel, weights.outputs - p * panel)))
                }
            }
        }
    }

    /// `sums[t][k][c] = sum over visible pixels of source[pixel seen at t][k] * other[pixel][c]`, `[taps, K, C]`.
    func outerProduct(with other: Tensor) -> Tensor {
        let (inputs, outputs, panel) = (source.shape.channels, other.shape.channels, Int(kernels.panel))
        let panels = (outputs + panel - 1) / panel
        let blockSize = taps * inputs * panel
        // Partial sums over groups of chunks, added in order afterwards; the number of groups follows from the work.
        let groups = max(1, min(16, chunks.chunks.count, (1 << 24) / (panels * blockSize)))
        let partial = Buffer(count: groups * panels * blockSize, on: cpu)
        cpu.parallel(groups * panels) { task in
            let (group, p) = (task / panels, task % panels)
            let sums = partial.pointer + task * blockSize
            sums.update(repeating: 0, count: blockSize)
            let count = chunks.chunks.count
            for chunk in (count * group / groups)..<(count * (group + 1) / groups) {
                withGathered(chunk) { table, index, pixels, zero in
                    kernels.gather_outer(
                        table, Int64(WS_CHUNK), pixels, Int32(taps), Int32(inputs), zero, other.pointer + p * panel,
                        index,
                        Int64(outputs), Int32(min(panel, outputs - p * panel)), sums, Int64(panel))
                }
            }
        }
        return Tensor(uninitialized: [taps, inputs, outputs], on: cpu) { result in
            let result = result.baseAddress!
            let rows = taps * inputs
            cpu.parallel((rows + 255) / 256) { task in
                for row in (task * 256)..<min(rows, task * 256 + 256) {
                    for p in 0..<panels {
                        let target = result + row * outputs + p * panel
                        let width = min(panel, outputs - p * panel)
                        target.update(from: partial.pointer + (p * rows + row) * panel, count: width)
                        for group in 1..<max(1, groups) {
                            let addend = partial.pointer + ((group * panels + p) * rows + row) * panel
                            for c in 0..<width { target[c] += addend[c] }
                        }
                    }
                }
            }
        }
    }

    /// Calls `body` with the addresses that the pixels of a chunk see at each tap, the pixels' linear indices and number,
    /// and the address that stands for a voxel outside.
    private func withGathered(
        _ chunk: Int,
        _ body: (UnsafeMutablePointer<UnsafePointer<Float>?>, UnsafeMutablePointer<Int64>, Int32, UnsafePointer<Float>)
            -> Void
    ) {
        let channels = source.shape.channels
        let addressBytes = taps * Int(WS_CHUNK) * MemoryLayout<UnsafePointer<Float>?>.stride
        let indexBytes = Int(WS_CHUNK) * MemoryLayout<Int64>.stride
        let bytes = addressBytes + indexBytes + channels * MemoryLayout<Float>.stride
        let scratch = cpu.memory.take(bytes)
        defer { cpu.memory.giveBack(scratch, bytes: bytes) }
        let table = scratch.bindMemory(to: UnsafePointer<Float>?.self, capacity: taps * Int(WS_CHUNK))
        let index = (scratch + addressBytes).bindMemory(to: Int64.self, capacity: Int(WS_CHUNK))
        let zero = (scratch + addressBytes + indexBytes).bindMemory(to: Float.self, capacity: channels)
        zero.update(repeating: 0, count: channels)
        let range = chunks.chunks[chunk]
        let pixels = chunks.runs.withUnsafeBufferPointer { runs in
            withUnsafePointer(to: geometry) { geometry in
                ws_gather(
                    geometry, runs.baseAddress! + range.lowerBound, Int32(range.count), source.pointer, Int32(channels),
                    zero,
                    table, Int64(WS_CHUNK), index)
            }
        }
        body(table, index, pixels, UnsafePointer(zero))
    }
}
