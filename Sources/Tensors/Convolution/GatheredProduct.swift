import CKernels

/// The two products that every convolution, transposed convolution, linear layer and their gradients consist of.
///
/// Pixels of one map gather voxels of another (the source), per tap. Voxels outside the source, like hidden ones, count as
/// zero and are not read. A dense map is the case where every pixel is computed; nothing else distinguishes sparse from dense.
struct GatheredProduct {
    let source: Tensor
    let geometry: ws_geometry
    /// The extent of the map whose voxels gather, and which of these are visible.
    let pixels: Extent3
    let mask: BlockMask?
    /// Which voxels of the source are read.
    let sourceMask: SourceMask?
    /// What is known of the convolution's input: the source, or if this is its gradient the result.
    let filling: Filling?
    let chunks: PixelChunks
    var taps: Int { geometry.taps }
    var cpu: CPU { source.cpu }
    var kernels: ws_kernels { cpu.kernelSet.table.pointee }

    /// - Parameters:
    ///   - source: the map to gather from, `[N, D, H, W, C]`.
    ///   - pixels: the extent of the map whose voxels gather.
    ///   - mask: which of these voxels are visible.
    ///   - resultFilling: if `transposed`, what is known of the map that the result is the gradient of.
    init(
        source: Tensor, geometry: ConvGeometry, pixels: Extent3, mask: BlockMask?, transposed: Bool,
        resultFilling: Filling? = nil
    ) {
        (self.source, self.pixels, self.mask) = (source, pixels, mask)
        filling = transposed ? resultFilling : source.filling
        sourceMask = SourceMask(of: source)
        self.geometry = geometry.gathering(source: source.shape.extent, pixels: pixels, transposed: transposed)
        chunks = PixelChunks(
            samples: source.shape.samples, extent: pixels, mask: mask, phases: transposed ? geometry.stride : 1)
    }

    /// Writes `output[pixel][c] = bias[c] + sum over taps t, channels k of source[pixel seen at t][k] weight[t][k][c]`
    /// for every visible pixel.
    ///
    /// - Parameters:
    ///   - weight: `[kD, kH, kW, in, out]`.
    ///   - adjoint: whether the source has `out` channels and the output `in`.
    ///   - bias: one number per output channel, or `nil` for zeros.
    ///   - rowLength: elements from one output voxel to the next, where others lie behind its channels.
    func multiply(
        _ weight: Tensor, adjoint: Bool, bias: Tensor?, into output: UnsafeMutablePointer<Float>, rowLength: Int? = nil
    ) {
        let outputs = weight.shape[adjoint ? 3 : 4]
        let rowLength = rowLength ?? outputs
        if rowLength == outputs, let cubes = CubeProduct(self, channels: outputs) {
            return cubes.multiply(weight, adjoint: adjoint, bias: bias, into: output)
        }
        let paired = multipliesPairs(outputs: outputs)
        let packing = WeightPacking(weight, adjoint: adjoint, precision: paired ? .bfloat16 : .float32)
        // Those of a single chunk are read where they are stored, or each tap is packed when it is its turn: used once, it
        // never leaves the cache.
        let packed = chunks.chunks.count > 1 || isNarrow && !paired ? packing.packed() : nil
        let rounded = paired ? RoundedMap(source) : nil
        let rows = UnsafeRawPointer(rounded?.buffer.pointer ?? source.pointer)
        let panel = Int(kernels.panel)
        let biases = Buffer(count: packing.panels * panel, on: cpu)
        biases.pointer.update(repeating: 0, count: biases.count)
        if let bias { biases.pointer.update(from: bias.pointer, count: outputs) }
        // Few pixels (the bottleneck) are shared by panels, many (full resolution) by chunks.
        let shares = min(packing.panels, max(1, 32 / max(1, chunks.chunks.count)))
        cpu.parallel(chunks.chunks.count * shares) { task in
            let (share, chunk) = (task / chunks.chunks.count, task % chunks.chunks.count)
            withGathered(chunk, from: rows, voxelBytes: packing.inputs * 4) { table, index, pixels, zero in
                if let packed, isNarrow, !paired {
                    return withUnfolded(table, pixels) {
                        for p in (packing.panels * share / shares)..<(packing.panels * (share + 1) / shares) {
                            kernels.gather_multiply(
                                table, Int64(WS_CHUNK), pixels, 1, Int32(taps * packing.inputs), zero,
                                packed.pointer + p * packing.panelSize, Int64(panel), nil,
                                biases.pointer + p * panel, output + p * panel, index, Int64(rowLength),
                                Int32(min(panel, outputs - p * panel)))
                        }
                    }
                }
                func multiply(
                    _ p: Int, _ taps: Range<Int>, _ weights: UnsafePointer<Float>, stride: Int = panel,
                    next: UnsafePointer<Float>? = nil, adds: Bool = false
                ) {
                    let columns = Int32(min(panel, outputs - p * panel))
                    let bias = adds ? nil : biases.pointer + p * panel
                    let (seen, y) = (table + taps.lowerBound * Int(WS_CHUNK), output + p * panel)
                    if paired {
                        weights.withMemoryRebound(to: UInt32.self, capacity: taps.count * packing.tapSize) {
                            kernels.gather_multiply_pairs(
                                seen, Int64(WS_CHUNK), pixels, Int32(taps.count), Int32(packing.inputs), zero, $0, bias,
                                y, index, Int64(rowLength), columns)
                        }
                    } else {
                        kernels.gather_multiply(
                            seen, Int64(WS_CHUNK), pixels, Int32(taps.count), Int32(packing.inputs), zero, weights,
                            Int64(stride), next, bias, y, index, Int64(rowLength), columns)
                    }
                }
                let panels = (packing.panels * share / shares)..<(packing.panels * (share + 1) / shares)
                if let packed {
                    for p in panels { multiply(p, 0..<taps, packed.pointer + p * packing.panelSize) }
                } else {
                    // More pixels than a few tiles would fetch rows that lie far apart, on few sets of the cache, again.
                    let isRead = pixels <= 6 * WS_TILE
                    let seen = tapsSeeing(table, Int(pixels), zero)
                    let slab = Buffer(count: packing.tapSize, on: cpu)
                    for p in panels {
                        if isRead, let stored = packing.stored(panel: p) {
                            multiply(p, 0..<taps, stored, stride: outputs, next: stored + Self.rowsAhead * outputs)
                            continue
                        }
                        // The first tap brings the bias, even if it sees nothing.
                        let order = seen.isEmpty ? [0] : seen
                        for (i, tap) in order.enumerated() {
                            packing.pack(panel: p, tap: tap, into: slab.pointer)
                            let next = i + 1 < order.count ? packing.place(panel: p, tap: order[i + 1]) : nil
                            multiply(p, tap..<tap + 1, slab.pointer, next: next, adds: i > 0)
                        }
                    }
                }
            }
        }
        withExtendedLifetime(rounded) {}
    }

    /// `sums[t][k][c] = sum over visible pixels of source[pixel seen at t][k] * other[pixel][c]`, `[taps, K, C]`.
    func outerProduct(with other: Tensor) -> Tensor {
        if let cubes = CubeProduct(self, channels: other.shape.channels) { return cubes.outerProduct(with: other) }
        if contractsPairs() { return outerProductOfPairs(with: other) }
        let (inputs, outputs, panel) = (source.shape.channels, other.shape.channels, Int(kernels.panel))
        let panels = (outputs + panel - 1) / panel
        let blockSize = taps * inputs * panel
        // Partial sums over groups of chunks, added in order afterwards; the number of groups follows from the work.
        let groups = max(1, min(16, chunks.chunks.count, (1 << 24) / (panels * blockSize)))
        func sum(_ group: Int, _ p: Int, into sums: UnsafeMutablePointer<Float>, rowLength: Int) {
            let count = chunks.chunks.count
            let range = (count * group / groups)..<(count * (group + 1) / groups)
            if range.isEmpty {
                for row in 0..<taps * inputs { (sums + row * rowLength).update(repeating: 0, count: panel) }
            }
            for chunk in range {
                withGathered(chunk, from: source.pointer, voxelBytes: inputs * 4) { table, index, pixels, zero in
                    func add(_ taps: Int, _ inputs: Int) {
                        kernels.gather_outer(
                            table, Int64(WS_CHUNK), pixels, Int32(taps), Int32(inputs), zero, other.pointer + p * panel,
                            index, Int64(outputs), Int32(min(panel, outputs - p * panel)),
                            chunk == range.lowerBound ? 1 : 0, sums, Int64(rowLength))
                    }
                    if isNarrow { withUnfolded(table, pixels) { add(1, taps * inputs) } } else { add(taps, inputs) }
                }
            }
        }
        if groups == 1, outputs % panel == 0 {
            return Tensor(uninitialized: [taps, inputs, outputs], on: cpu) { result in
                let result = result.baseAddress!
                cpu.parallel(panels) { sum(0, $0, into: result + $0 * panel, rowLength: outputs) }
            }
        }
        let partial = Buffer(count: groups * panels * blockSize, on: cpu)
        cpu.parallel(groups * panels) { task in
            sum(task / panels, task % panels, into: partial.pointer + task * blockSize, rowLength: panel)
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

    /// How many inputs ahead the weights are fetched where they are read as stored, in rows that lie too far apart for the
    /// processor to foresee: a tile's products with so many inputs take as long as an access to memory.
    private static let rowsAhead = 24

    /// Whether a pixel sees so few numbers that it is sooner to copy them side by side than to go from tap to tap: a
    /// network's first convolution. Sums keep their order. The rows of a chunk, at most 512 numbers each, stay in the
    /// second-level cache.
    private var isNarrow: Bool { source.shape.channels <= 4 && taps > 1 && taps * source.shape.channels <= 512 }

    /// Calls `body` while a table has a single tap, whose inputs are those of all taps.
    private func withUnfolded(
        _ table: UnsafeMutablePointer<UnsafeRawPointer?>, _ pixels: Int32, _ body: () -> Void
    ) {
        let inputs = source.shape.channels
        let rows = Buffer(count: Int(WS_CHUNK) * taps * inputs, on: cpu)
        ws_unfold(table, Int64(WS_CHUNK), pixels, Int32(taps), Int32(inputs), rows.pointer)
        // The table points into the rows.
        withExtendedLifetime(rows) { body() }
    }

    /// The taps at which any of the pixels sees a voxel.
    private func tapsSeeing(
        _ table: UnsafeMutablePointer<UnsafeRawPointer?>, _ pixels: Int, _ zero: UnsafeRawPointer
    ) -> [Int] {
        (0..<taps).filter { tap in
            let seen = table + tap * Int(WS_CHUNK)
            return (0..<pixels).contains { seen[$0] != zero }
        }
    }

    /// Calls `body` with the addresses that the pixels of a chunk see at each tap, the pixels' linear indices and number,
    /// and the address that stands for a voxel outside or hidden.
    ///
    /// - Parameters:
    ///   - rows: the source's voxels, `voxelBytes` apart.
    ///   - geometry: by default all taps.
    func withGathered(
        _ chunk: Int, from rows: UnsafeRawPointer, voxelBytes: Int, _ geometry: ws_geometry? = nil,
        _ body: (UnsafeMutablePointer<UnsafeRawPointer?>, UnsafeMutablePointer<Int64>, Int32, UnsafeRawPointer) -> Void
    ) {
        let geometry = geometry ?? self.geometry
        let addressBytes = geometry.taps * Int(WS_CHUNK) * MemoryLayout<UnsafeRawPointer?>.stride
        let indexBytes = Int(WS_CHUNK) * MemoryLayout<Int64>.stride
        let bytes = addressBytes + indexBytes + voxelBytes
        let scratch = cpu.memory.take(bytes)
        defer { cpu.memory.giveBack(scratch, bytes: bytes) }
        let table = scratch.bindMemory(to: UnsafeRawPointer?.self, capacity: geometry.taps * Int(WS_CHUNK))
        let index = (scratch + addressBytes).bindMemory(to: Int64.self, capacity: Int(WS_CHUNK))
        let zero = scratch + addressBytes + indexBytes
        zero.initializeMemory(as: UInt8.self, repeating: 0, count: voxelBytes)
        let range = chunks.chunks[chunk]
        let pixels = chunks.runs.withUnsafeBufferPointer { runs in
            SourceMask.withPointer(sourceMask) { mask in
                withUnsafePointer(to: geometry) { geometry in
                    ws_gather(
                        geometry, mask, runs.baseAddress! + range.lowerBound, Int32(range.count), rows,
                        Int64(voxelBytes), zero, table, Int64(WS_CHUNK), index)
                }
            }
        }
        body(table, index, pixels, UnsafeRawPointer(zero))
    }
}

extension ws_geometry {
    /// The number of taps of the kernel.
    var taps: Int { Int(kernel.0) * Int(kernel.1) * Int(kernel.2) }
}
