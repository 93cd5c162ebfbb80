import CKernels

/// The products of a ``GatheredProduct`` with fewer multiplications, where its kernel has 3x3x3 or 1x3x3 taps at stride
/// 1: Winograd's minimal filtering over cubes of 2x2x2 (1x2x2) pixels.
///
/// A cube is a pixel of a coarser map that gathers its 4x4x4 (1x4x4) neighbourhood at stride 2, so hidden and outside
/// voxels need no care of their own. Sums run in another order than tap by tap: results differ by float32 rounding.
///
/// Multiplies in float32 whatever the precision: vector instructions gain less from bfloat16 than from leaving out two
/// products of three. Matrix instructions gain more.
struct CubeProduct {
    private let product: GatheredProduct
    private let chunks: PixelChunks
    private let isDeep: Bool
    /// From the source to the neighbourhoods of the cubes.
    private let neighbourhoods: ws_geometry
    /// From the output to the cubes.
    private let corners: ws_geometry
    private var cpu: CPU { product.cpu }
    private var kernels: ws_kernels { product.kernels }
    private var positions: Int { isDeep ? 64 : 16 }
    private var deep: Int32 { isDeep ? 1 : 0 }

    /// `nil` where the kernel has another shape or nothing is gained.
    ///
    /// - Parameter channels: those of the map whose voxels gather.
    init?(_ product: GatheredProduct, channels: Int) {
        guard product.cpu.precision == .float32 || product.kernels.multiplies_tiles == 0 else { return nil }
        let geometry = product.geometry
        guard (geometry.kernel.0 == 3 || geometry.kernel.0 == 1), geometry.kernel.1 == 3, geometry.kernel.2 == 3,
            geometry.stride == (1, 1, 1), geometry.dilation == (1, 1, 1)
        else { return nil }
        // Narrower maps leave vectors unused or do not earn back the transforms.
        guard product.source.shape.channels >= 16, channels >= 16 else { return nil }
        isDeep = geometry.kernel.0 == 3
        let edge = Extent3(depth: isDeep ? 2 : 1, height: 2, width: 2)
        let output = product.pixels
        if let mask = product.mask {
            guard let cell = mask.cell(in: output), (0..<3).allSatisfy({ cell[$0] % edge[$0] == 0 }) else { return nil }
        }
        let grid = output.zipped(with: edge) { ($0 + $1 - 1) / $1 }
        chunks = PixelChunks(
            samples: product.source.shape.samples, extent: grid, mask: product.mask, phases: 1, limit: Int(WS_CUBES))
        // Cubes at the rim of odd extents and the weights' transform cost as if so many cubes were more.
        let cubes = chunks.pixels + 32
        guard cubes * (isDeep ? 64 : 16) * 3 < product.chunks.pixels * product.taps * 2 else { return nil }
        self.product = product
        let (taps, padding) = (geometry.kernel, geometry.padding)
        neighbourhoods = ws_geometry(
            source: geometry.source, pixels: grid.words, kernel: isDeep ? (4, 4, 4) : (1, 4, 4),
            stride: edge.words,
            padding: geometry.transposed == 0
                ? padding : (taps.0 - 1 - padding.0, taps.1 - 1 - padding.1, taps.2 - 1 - padding.2),
            dilation: (1, 1, 1), transposed: 0)
        corners = ws_geometry(
            source: output.words, pixels: grid.words, kernel: edge.words, stride: edge.words, padding: (0, 0, 0),
            dilation: (1, 1, 1), transposed: 0)
    }

    /// ``GatheredProduct/multiply(_:adjoint:bias:into:)``.
    func multiply(_ weight: Tensor, adjoint: Bool, bias: Tensor?, into target: UnsafeMutablePointer<Float>) {
        let (inputs, outputs) = (product.source.shape.channels, weight.shape[adjoint ? 3 : 4])
        let (panel, panels) = (Int(kernels.panel), (outputs + Int(kernels.panel) - 1) / Int(kernels.panel))
        let weights = spread(PackedWeights(weight, adjoint: adjoint, precision: .float32))
        let biases = Buffer(count: panels * panel, on: cpu)
        biases.pointer.update(repeating: 0, count: biases.count)
        if let bias { biases.pointer.update(from: bias.pointer, count: outputs) }
        let scratchSize = Int(ws_cube_scratch(deep, Int32(inputs), Int32(panel)))
        // Few cubes are shared by panels, each share spreading its inputs anew.
        let shares = min(panels, max(1, 16 / max(1, chunks.chunks.count)))
        cpu.parallel(chunks.chunks.count * shares) { task in
            let (share, chunk) = (task / chunks.chunks.count, task % chunks.chunks.count)
            let (first, end) = (panels * share / shares, panels * (share + 1) / shares)
            let scratch = Buffer(count: scratchSize, on: cpu)
            withTables(chunk, inputs: inputs, other: target + first * panel, channels: outputs) {
                neighbours, corners, cubes, outside in
                kernels.multiply_cubes(
                    deep, neighbours, corners, Int64(WS_CUBES), cubes, outside, Int32(inputs),
                    Int32(min(outputs, end * panel) - first * panel),
                    weights.pointer + first * positions * inputs * panel, biases.pointer + first * panel,
                    scratch.pointer)
            }
        }
    }

    /// ``GatheredProduct/outerProduct(with:)``.
    func outerProduct(with other: Tensor) -> Tensor {
        let (inputs, outputs, panel) = (product.source.shape.channels, other.shape.channels, Int(kernels.panel))
        let width = (outputs + panel - 1) / panel * panel
        let count = chunks.chunks.count
        // A task sums a group of chunks for a share of the outputs: shares where sums are many, groups where cubes are.
        // Partial sums of the groups are added in order afterwards. All of that follows from the work.
        let tasks = 16, cachedSums = 1 << 19
        let shares = min((width / panel), max(1, positions * inputs * width / cachedSums))
        let groups = max(1, min((tasks + shares - 1) / shares, count))
        let size = positions * inputs * width
        let starts = (0...shares).map { width / panel * $0 / shares * panel }
        let partial = Buffer(count: groups * size, on: cpu)
        cpu.parallel(groups * shares) { task in
            let (group, share) = (task / shares, task % shares)
            let (first, end) = (starts[share], starts[share + 1])
            let sums = partial.pointer + group * size + first * positions * inputs
            sums.update(repeating: 0, count: positions * inputs * (end - first))
            let channels = min(outputs, end) - first
            let scratch = Buffer(count: Int(ws_cube_scratch(deep, Int32(inputs), Int32(channels))), on: cpu)
            for chunk in (count * group / groups)..<(count * (group + 1) / groups) {
                withTables(chunk, inputs: inputs, other: other.pointer + first, channels: outputs) {
                    neighbours, corners, cubes, _ in
                    kernels.outer_cubes(
                        deep, neighbours, corners, Int64(WS_CUBES), cubes, Int32(inputs), Int32(channels),
                        scratch.pointer, sums)
                }
            }
        }
        let taps = product.taps
        return Tensor(uninitialized: [taps, inputs, outputs], on: cpu) { result in
            let result = result.baseAddress!
            cpu.parallel(inputs * shares) { task in
                let (k, share) = (task / shares, task % shares)
                let (first, columns) = (starts[share], starts[share + 1] - starts[share])
                let sums = partial.pointer + first * positions * inputs + k * columns
                for group in 1..<max(1, groups) {
                    for position in 0..<positions {
                        let target = sums + position * inputs * columns
                        let addend = target + group * size
                        for c in 0..<columns { target[c] += addend[c] }
                    }
                }
                let rows = Buffer(count: taps * columns, on: cpu)
                kernels.cube_weights_backward(
                    deep, sums, Int64(inputs * columns), Int64(columns), rows.pointer, Int64(columns))
                for tap in 0..<taps {
                    (result + (tap * inputs + k) * outputs + first).update(
                        from: rows.pointer + tap * columns, count: min(outputs - first, columns))
                }
            }
        }
    }

    /// `[panel][position][input][channel of the panel]`. The adjoint of a convolution sees its taps in reverse.
    private func spread(_ weights: PackedWeights) -> Buffer {
        let panel = Int(kernels.panel), row = weights.inputs * panel
        let spread = Buffer(count: weights.panels * positions * row, on: cpu)
        let parts = min(weights.inputs, 16)
        cpu.parallel(weights.panels * parts) { task in
            let (index, part) = (task / parts, task % parts)
            let first = weights.inputs * part / parts, end = weights.inputs * (part + 1) / parts
            kernels.cube_weights(
                deep, product.geometry.transposed, weights.buffer.pointer + index * weights.panelSize + first * panel,
                Int64(row), Int64((end - first) * panel), spread.pointer + index * positions * row + first * panel,
                Int64(row))
        }
        return spread
    }

    /// Calls `body` with the addresses that the cubes of a chunk see in the source and in the `other` map, their number,
    /// and the address that stands for a voxel outside either, where zeros are.
    private func withTables(
        _ chunk: Int, inputs: Int, other: UnsafeMutablePointer<Float>, channels: Int,
        _ body: (
            UnsafeMutablePointer<UnsafeRawPointer?>, UnsafeMutablePointer<UnsafeRawPointer?>, Int32, UnsafeRawPointer
        ) -> Void
    ) {
        let (stride, address) = (Int(WS_CUBES), MemoryLayout<UnsafeRawPointer?>.stride)
        let (inputEntries, outputEntries) = (positions * stride, (isDeep ? 8 : 4) * stride)
        let zeroBytes = max(inputs, channels) * MemoryLayout<Float>.stride
        let bytes = (inputEntries + outputEntries + stride) * address + zeroBytes
        let scratch = cpu.memory.take(bytes)
        defer { cpu.memory.giveBack(scratch, bytes: bytes) }
        let neighbours = scratch.bindMemory(to: UnsafeRawPointer?.self, capacity: inputEntries + outputEntries)
        let index = (scratch + (inputEntries + outputEntries) * address).bindMemory(to: Int64.self, capacity: stride)
        let zero = scratch + bytes - zeroBytes
        zero.initializeMemory(as: UInt8.self, repeating: 0, count: zeroBytes)
        let range = chunks.chunks[chunk]
        let cubes = chunks.runs.withUnsafeBufferPointer { runs in
            let first = runs.baseAddress! + range.lowerBound
            func gather(
                _ geometry: ws_geometry, _ source: UnsafeRawPointer, _ channels: Int,
                _ table: UnsafeMutablePointer<UnsafeRawPointer?>
            ) -> Int32 {
                withUnsafePointer(to: geometry) { geometry in
                    ws_gather(
                        geometry, first, Int32(range.count), source, Int64(channels * MemoryLayout<Float>.stride), zero,
                        table, Int64(stride), index)
                }
            }
            _ = gather(corners, other, channels, neighbours + inputEntries)
            return gather(neighbourhoods, product.source.pointer, inputs, neighbours)
        }
        body(neighbours, neighbours + inputEntries, cubes, UnsafeRawPointer(zero))
    }
}
