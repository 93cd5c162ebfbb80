import CKernels

/// The products of a ``GatheredProduct`` with fewer multiplications, where its kernel has 3x3x3 or 1x3x3 taps at stride
/// 1: Winograd's minimal filtering over cubes of pixels.
///
/// A cube is a pixel of a coarser map that gathers its neighbourhood at a stride of its edges, so hidden and outside
/// voxels are those of any gather. Sums run in another order than tap by tap: results differ by float32 rounding.
///
/// Multiplies in float32 whatever the precision: vector instructions gain less from bfloat16 than from leaving out up to
/// seven products of eight. Matrix instructions gain more.
struct CubeProduct {
    let product: GatheredProduct
    let shape: CubeShape
    private(set) var chunks: PixelChunks
    /// How many channels of the source are multiplied, from the first on.
    private(set) var inputs: Int
    /// From the source to the neighbourhoods of the cubes.
    private let neighbourhoods: ws_geometry
    /// From the output to the cubes.
    private let corners: ws_geometry
    /// How many voxels before a cube's own its neighbourhood begins.
    var before: Extent3 {
        let padding = neighbourhoods.padding
        return Extent3(depth: Int(padding.0), height: Int(padding.1), width: Int(padding.2))
    }
    var cpu: CPU { product.cpu }
    var kernels: ws_kernels { product.kernels }

    /// `nil` where the kernel has another shape or nothing is gained.
    ///
    /// - Parameter channels: those of the map whose voxels gather.
    init?(_ product: GatheredProduct, channels: Int) {
        guard product.cpu.precision == .float32 || product.kernels.multiplies_tiles == 0 else { return nil }
        let geometry = product.geometry
        guard geometry.kernel.0 == 3 || geometry.kernel.0 == 1, geometry.kernel.1 == 3, geometry.kernel.2 == 3,
            geometry.stride == (1, 1, 1), geometry.dilation == (1, 1, 1)
        else { return nil }
        guard let shape = CubeShape.cheapest(for: product, channels: channels) else { return nil }
        self.init(product, shape: shape)
    }

    /// With cubes of a given shape.
    init(_ product: GatheredProduct, shape: CubeShape) {
        let geometry = product.geometry
        (self.product, self.shape, inputs) = (product, shape, product.source.shape.channels)
        let grid = shape.grid(over: product.pixels)
        chunks = PixelChunks(
            samples: product.source.shape.samples, extent: grid, mask: product.mask, phases: 1, limit: Int(WS_CUBES))
        let (taps, padding) = (geometry.kernel, geometry.padding)
        neighbourhoods = ws_geometry(
            source: geometry.source, pixels: grid.words, kernel: shape.neighbourhood.words, stride: shape.edges.words,
            padding: geometry.transposed == 0
                ? padding : (taps.0 - 1 - padding.0, taps.1 - 1 - padding.1, taps.2 - 1 - padding.2),
            dilation: (1, 1, 1), transposed: 0)
        corners = ws_geometry(
            source: product.pixels.words, pixels: grid.words, kernel: shape.edges.words, stride: shape.edges.words,
            padding: (0, 0, 0), dilation: (1, 1, 1), transposed: 0)
    }

    /// The same for some of the cubes and, by default all, channels of the source.
    func over(_ chunks: PixelChunks, inputs: Int? = nil) -> CubeProduct {
        var some = self
        (some.chunks, some.inputs) = (chunks, inputs ?? self.inputs)
        return some
    }

    /// ``GatheredProduct/multiply(_:adjoint:bias:into:rowLength:)``.
    func multiply(_ weight: Tensor, adjoint: Bool, bias: Tensor?, into target: UnsafeMutablePointer<Float>) {
        if let cubes = RepeatedCubes(self, channels: weight.shape[3], sees: !adjoint) {
            return adjoint
                ? multiplyAdjoint(weight, repeating: cubes, into: target)
                : multiply(weight, bias: bias, repeating: cubes, into: target)
        }
        multiplyAll(weight, adjoint: adjoint, bias: bias, into: target, rowLength: weight.shape[adjoint ? 3 : 4])
    }

    /// ``multiply(_:adjoint:bias:into:)`` of every cube by itself.
    ///
    /// - Parameters:
    ///   - rowLength: elements from one output voxel to the next.
    ///   - finish: told of the channels of a chunk that were just written.
    func multiplyAll(
        _ weight: Tensor, adjoint: Bool, bias: Tensor?, into target: UnsafeMutablePointer<Float>, rowLength: Int,
        finish: ((_ chunk: Int, _ channels: Range<Int>) -> Void)? = nil
    ) {
        let outputs = weight.shape[adjoint ? 3 : 4]
        let (panel, panels) = (Int(kernels.panel), (outputs + Int(kernels.panel) - 1) / Int(kernels.panel))
        let (cube, positions) = (shape.cube, shape.positions)
        let biases = Buffer(count: panels * panel, on: cpu)
        biases.pointer.update(repeating: 0, count: biases.count)
        if let bias { biases.pointer.update(from: bias.pointer, count: outputs) }
        if isFew {
            return multiplyFew(
                weight, adjoint: adjoint, biases: biases, into: target, rowLength: rowLength, finish: finish)
        }
        let weights = spread(weight, adjoint: adjoint)
        let scratchSize = cube.scratch(inputs: inputs, outputs: panel)
        // Fewer chunks are shared by panels, each share spreading its inputs anew.
        let shares = min(panels, max(1, 16 / chunks.chunks.count))
        cpu.parallel(chunks.chunks.count * shares) { task in
            let (share, chunk) = (task / chunks.chunks.count, task % chunks.chunks.count)
            let (first, end) = (panels * share / shares, panels * (share + 1) / shares)
            let scratch = Buffer(count: scratchSize, on: cpu)
            withTables(chunk, other: target + first * panel, channels: rowLength) {
                neighbours, corners, cubes, outside in
                withUnsafePointer(to: cube) { cube in
                    kernels.multiply_cubes(
                        cube, neighbours, corners, Int64(WS_CUBES), cubes, outside, Int32(inputs),
                        Int32(min(outputs, end * panel) - first * panel),
                        weights.pointer + first * positions * inputs * panel, biases.pointer + first * panel,
                        scratch.pointer)
                }
            }
            finish?(chunk, (first * panel)..<min(outputs, end * panel))
        }
    }

    /// ``GatheredProduct/outerProduct(with:)``.
    func outerProduct(with other: Tensor) -> Tensor {
        if let cubes = RepeatedCubes(self, channels: inputs, sees: true) {
            return outerProduct(with: other, repeating: cubes)
        }
        return outerProductOfAll(with: other)
    }

    /// ``outerProduct(with:)`` of every cube by itself.
    func outerProductOfAll(with other: Tensor) -> Tensor {
        let (outputs, panel) = (other.shape.channels, Int(kernels.panel))
        let panels = (outputs + panel - 1) / panel
        let (count, taps, positions) = (chunks.chunks.count, product.taps, shape.positions)
        // A task sums a group of chunks for a share of the outputs: shares where sums are many, groups where cubes are.
        // All of that follows from the work.
        let tasks = 16, cachedSums = 1 << 19
        let shares = min(panels, max(1, positions * inputs * panels * panel / cachedSums))
        let groups = max(1, min((tasks + shares - 1) / shares, count))
        if isFew, count > 0, outputs % panel == 0 { return outerProductOfFew(with: other, groups: groups) }
        let starts = (0...shares).map { panels * $0 / shares * panel }
        // What a group found, `[taps, inputs, panels]`, share by share; groups are added in order afterwards.
        let groupSize = taps * inputs * panels * panel
        let partial = Buffer(count: groups * groupSize, on: cpu)
        cpu.parallel(groups * shares) { task in
            let (group, share) = (task / shares, task % shares)
            let columns = starts[share + 1] - starts[share]
            sumCubes(
                (count * group / groups)..<(count * (group + 1) / groups), with: other, from: starts[share],
                columns: columns, into: partial.pointer + group * groupSize + starts[share] * taps * inputs)
        }
        return Tensor(uninitialized: [taps, inputs, outputs], on: cpu) { result in
            let result = result.baseAddress!
            cpu.parallel(inputs * shares) { task in
                let (k, share) = (task / shares, task % shares)
                let (first, columns) = (starts[share], starts[share + 1] - starts[share])
                let width = min(outputs - first, columns)
                for tap in 0..<taps {
                    let target = result + (tap * inputs + k) * outputs + first
                    let sums = partial.pointer + (first * taps + tap * columns) * inputs + k * columns
                    target.update(from: sums, count: width)
                    for group in 1..<max(1, groups) {
                        let addend = sums + group * groupSize
                        for c in 0..<width { target[c] += addend[c] }
                    }
                }
            }
        }
    }

    /// Writes the sums of some chunks, for `columns` outputs from `first` on: `[taps, inputs, columns]`.
    private func sumCubes(
        _ range: Range<Int>, with other: Tensor, from first: Int, columns: Int, into taps: UnsafeMutablePointer<Float>
    ) {
        let outputs = other.shape.channels
        let channels = min(outputs - first, columns)
        let sums = Buffer(count: shape.positions * inputs * columns, on: cpu)
        if range.isEmpty { sums.pointer.update(repeating: 0, count: sums.count) }
        let scratch = Buffer(count: shape.cube.scratch(inputs: inputs, outputs: channels), on: cpu)
        withUnsafePointer(to: shape.cube) { cube in
            for chunk in range {
                withTables(chunk, other: other.pointer + first, channels: outputs) {
                    neighbours, corners, cubes, _ in
                    kernels.outer_cubes(
                        cube, neighbours, corners, Int64(WS_CUBES), cubes, Int32(inputs), Int32(channels),
                        chunk == range.lowerBound ? 1 : 0, scratch.pointer, sums.pointer)
                }
            }
            kernels.cube_weights_backward(
                cube, sums.pointer, Int64(inputs * columns), Int64(inputs * columns), taps, Int64(inputs * columns))
        }
    }

    /// `[panel][position][input][channel of the panel]`.
    private func spread(_ weight: Tensor, adjoint: Bool) -> Buffer {
        let packing = WeightPacking(weight, adjoint: adjoint, precision: .float32)
        let (inputs, row) = (packing.inputs, packing.tapSize)
        let spread = Buffer(count: packing.panels * shape.positions * row, on: cpu)
        let parts = min(inputs, 16)
        cpu.parallel(packing.panels * parts) { task in
            let (panel, part) = (task / parts, task % parts)
            let some = (inputs * part / parts)..<(inputs * (part + 1) / parts)
            self.spread(
                packing, panel: panel, inputs: some,
                into: spread.pointer + panel * shape.positions * row + some.lowerBound * Int(kernels.panel),
                distance: row)
        }
        return spread
    }

    /// The weights of some inputs of a panel, spread to positions that are `distance` apart: `[input][channel of the panel]`.
    /// The adjoint of a convolution sees its taps in reverse.
    func spread(
        _ packing: WeightPacking, panel: Int, inputs: Range<Int>, into target: UnsafeMutablePointer<Float>,
        distance: Int
    ) {
        let (flipped, width) = (product.geometry.transposed, Int(kernels.panel))
        withUnsafePointer(to: shape.cube) { cube in
            // Whole panels are read where they are stored.
            if let stored = packing.stored(panel: panel) {
                for (row, k) in inputs.enumerated() {
                    kernels.cube_weights(
                        cube, flipped, stored + k * packing.outputs, Int64(packing.inputs * packing.outputs),
                        Int64(width), Int64(packing.outputs), target + row * width, Int64(distance))
                }
                return
            }
            let tapSize = inputs.count * width
            let packed = Buffer(count: packing.taps * tapSize, on: cpu)
            for tap in 0..<packing.taps {
                packing.pack(panel: panel, tap: tap, inputs: inputs, into: packed.pointer + tap * tapSize)
            }
            kernels.cube_weights(
                cube, flipped, packed.pointer, Int64(tapSize), Int64(tapSize), Int64(width), target, Int64(distance))
        }
    }

    /// Calls `body` with the addresses that the cubes of a chunk see in the source and in the `other` map, their number,
    /// and the address that stands for a voxel outside the latter.
    private func withTables(
        _ chunk: Int, other: UnsafeMutablePointer<Float>, channels: Int,
        _ body: (
            UnsafeMutablePointer<UnsafeRawPointer?>, UnsafeMutablePointer<UnsafeRawPointer?>, Int32, UnsafeRawPointer
        ) -> Void
    ) {
        withNeighbourhoods(of: chunk) { neighbours, cubes in
            withCorners(of: chunk, in: other, channels: channels) { corners, _, outside in
                body(neighbours, corners, cubes, outside)
            }
        }
    }

    /// Calls `body` with the addresses that the cubes of a chunk see in the source, zeros where a voxel is hidden or outside,
    /// and with their number.
    func withNeighbourhoods(of chunk: Int, _ body: (UnsafeMutablePointer<UnsafeRawPointer?>, Int32) -> Void) {
        let source = product.source
        withTable(
            chunk, neighbourhoods, product.sourceMask, from: source.pointer, channels: source.shape.channels
        ) { table, cubes, _ in body(table, cubes) }
    }

    /// Calls `body` with the addresses of the cubes of a chunk in the map whose voxels gather, their number, and the address
    /// that stands for a voxel outside. A cube lies in one block: its corners are visible.
    func withCorners(
        of chunk: Int, in map: UnsafeMutablePointer<Float>, channels: Int,
        _ body: (UnsafeMutablePointer<UnsafeRawPointer?>, Int32, UnsafeRawPointer) -> Void
    ) {
        withTable(chunk, corners, nil, from: map, channels: channels, body)
    }

    private func withTable(
        _ chunk: Int, _ geometry: ws_geometry, _ mask: SourceMask?, from map: UnsafeRawPointer, channels: Int,
        _ body: (UnsafeMutablePointer<UnsafeRawPointer?>, Int32, UnsafeRawPointer) -> Void
    ) {
        let (stride, address) = (Int(WS_CUBES), MemoryLayout<UnsafeRawPointer?>.stride)
        let (entries, voxelBytes) = (geometry.taps * stride, channels * MemoryLayout<Float>.stride)
        let bytes = (entries + stride) * address + voxelBytes
        let scratch = cpu.memory.take(bytes)
        defer { cpu.memory.giveBack(scratch, bytes: bytes) }
        let table = scratch.bindMemory(to: UnsafeRawPointer?.self, capacity: entries)
        let index = (scratch + entries * address).bindMemory(to: Int64.self, capacity: stride)
        let zero = scratch + bytes - voxelBytes
        zero.initializeMemory(as: UInt8.self, repeating: 0, count: voxelBytes)
        let range = chunks.chunks[chunk]
        let cubes = chunks.runs.withUnsafeBufferPointer { runs in
            SourceMask.withPointer(mask) { mask in
                withUnsafePointer(to: geometry) { geometry in
                    ws_gather(
                        geometry, mask, runs.baseAddress! + range.lowerBound, Int32(range.count), map,
                        Int64(voxelBytes),
                        zero, table, Int64(stride), index)
                }
            }
        }
        body(table, cubes, UnsafeRawPointer(zero))
    }
}
