import CKernels

/// Few cubes, as at the bottleneck or where little is visible: spreading all weights to memory, up to eight times as many as
/// the taps, would take longer than the products. They are spread, and their gradient is collected, slab by slab of inputs, in
/// the cache.
extension CubeProduct {
    /// Whether slabs of the weights are spread and used at once. For more cubes it takes longer to go through all of
    /// them for each slab than to fetch weights that were spread once.
    var isFew: Bool { chunks.chunks.count <= Self.few / Int(WS_CUBES) }

    /// The most cubes that are few.
    static let few = 3 * Int(WS_CUBES)

    /// ``multiplyAll(_:adjoint:bias:into:rowLength:finish:)``. Every output is the same sum in the same order.
    func multiplyFew(
        _ weight: Tensor, adjoint: Bool, biases: Buffer, into target: UnsafeMutablePointer<Float>, rowLength: Int,
        finish: ((_ chunk: Int, _ channels: Range<Int>) -> Void)?
    ) {
        let packing = WeightPacking(weight, adjoint: adjoint, precision: .float32)
        let (panel, outputs, count) = (Int(kernels.panel), packing.outputs, chunks.chunks.count)
        let spreadInputs = spreadInputs()
        // The same weights are spread several times where threads would be idle or sums leave the cache: half a megabyte of
        // them. The sums themselves do not depend on that.
        let cachedChunks = max(1, (1 << 17) / (shape.positions * Int(WS_CUBES) * panel))
        let parts = max((count + cachedChunks - 1) / cachedChunks, min(count, 2 * cpu.threads / packing.panels))
        withUnsafePointer(to: shape.cube) { cube in
            cpu.parallel(packing.panels * parts) { task in
                let (index, part) = (task / parts, task % parts)
                let some = (count * part / parts)..<(count * (part + 1) / parts)
                let weights = slabBuffer()
                let sums = some.map { buffer(chunk: $0, columns: panel) }
                for (number, slab) in slabs.enumerated() {
                    spread(
                        packing, panel: index, inputs: slab, into: weights.pointer,
                        distance: Int(ws_slab_distance(cube, kernels.panel)))
                    for (chunk, sums) in zip(some, sums) {
                        kernels.multiply_slab(
                            cube, spreadInputs[chunk][number].pointer, cubes(in: chunk), Int32(slab.count),
                            weights.pointer, number == 0 ? 1 : 0, sums.pointer)
                    }
                }
                let first = index * panel
                for (chunk, sums) in zip(some, sums) {
                    withCorners(of: chunk, in: target, channels: rowLength) { corners, cubes, outside in
                        kernels.collect_cubes(
                            cube, sums.pointer, cubes, corners, Int64(WS_CUBES), outside, Int32(first),
                            Int32(min(panel, outputs - first)), biases.pointer + first)
                    }
                    finish?(chunk, first..<min(outputs, first + panel))
                }
            }
        }
    }

    /// ``outerProductOfAll(with:)`` of whole panels, as the sum over groups of chunks.
    func outerProductOfFew(with other: Tensor, groups: Int) -> Tensor {
        let (outputs, panel) = (other.shape.channels, Int(kernels.panel))
        let (count, panels, taps) = (chunks.chunks.count, outputs / panel, product.taps)
        let (spreadInputs, gradients) = (spreadInputs(), spreadGradients(other))
        return Tensor(uninitialized: [taps, inputs, outputs], on: cpu) { result in
            let result = result.baseAddress!
            cpu.parallel(panels * slabs.count) { task in
                let (index, number) = (task / slabs.count, task % slabs.count)
                let slab = slabs[number]
                let scratch = slabBuffer()
                func sum(_ group: Int, into target: UnsafeMutablePointer<Float>, tapDistance: Int, rowLength: Int) {
                    let some = (count * group / groups)..<(count * (group + 1) / groups)
                    let rows = some.map { UnsafePointer<Float>?(spreadInputs[$0][number].pointer) }
                    let columns = some.map { UnsafePointer<Float>?(gradients[$0][index].pointer) }
                    withUnsafePointer(to: shape.cube) { cube in
                        kernels.outer_slab(
                            cube, Int32(some.count), rows, columns, some.map(cubes(in:)), Int32(slab.count),
                            scratch.pointer, target, Int64(tapDistance), Int64(rowLength))
                    }
                }
                let target = result + slab.lowerBound * outputs + index * panel
                sum(0, into: target, tapDistance: inputs * outputs, rowLength: outputs)
                guard groups > 1 else { return }
                let found = Buffer(count: taps * slab.count * panel, on: cpu)
                for group in 1..<groups {
                    sum(group, into: found.pointer, tapDistance: slab.count * panel, rowLength: panel)
                    for row in 0..<taps * slab.count {
                        let sum = target + (row / slab.count * inputs + row % slab.count) * outputs
                        for c in 0..<panel { sum[c] += found.pointer[row * panel + c] }
                    }
                }
            }
        }
    }

    /// The inputs of each chunk and slab, spread once for all panels.
    private func spreadInputs() -> [[Buffer]] {
        let columns = Int(withUnsafePointer(to: shape.cube, ws_slab_inputs))
        return spread(slabs.count, columns: columns) { chunk, some, targets in
            withNeighbourhoods(of: chunk) { neighbours, cubes in
                withUnsafePointer(to: shape.cube) { cube in
                    for (slab, target) in zip(slabs[some], targets) {
                        kernels.spread_cubes(
                            cube, neighbours, Int64(WS_CUBES), cubes, Int32(slab.lowerBound), Int32(slab.count),
                            target.pointer)
                    }
                }
            }
        }
    }

    /// The gradients of each chunk and panel of outputs, spread once for all slabs.
    private func spreadGradients(_ map: Tensor) -> [[Buffer]] {
        let (panel, channels) = (Int(kernels.panel), map.shape.channels)
        return spread(channels / panel, columns: panel) { chunk, some, targets in
            withCorners(of: chunk, in: map.pointer, channels: channels) { corners, cubes, _ in
                withUnsafePointer(to: shape.cube) { cube in
                    for (index, target) in zip(some, targets) {
                        kernels.spread_gradients(
                            cube, corners, Int64(WS_CUBES), cubes, Int32(index * panel), target.pointer)
                    }
                }
            }
        }
    }

    /// `pieces` of so many columns for each chunk. Each share of a chunk's pieces finds its voxels anew: few for a thread.
    private func spread(
        _ pieces: Int, columns: Int, _ body: (_ chunk: Int, _ pieces: Range<Int>, _ targets: ArraySlice<Buffer>) -> Void
    ) -> [[Buffer]] {
        let all = chunks.chunks.indices.map { chunk in (0..<pieces).map { _ in buffer(chunk: chunk, columns: columns) }
        }
        let shares = min(pieces, max(1, 4 * cpu.threads / all.count))
        cpu.parallel(all.count * shares) { task in
            let (chunk, share) = (task / shares, task % shares)
            let some = (pieces * share / shares)..<(pieces * (share + 1) / shares)
            body(chunk, some, all[chunk][some])
        }
        return all
    }

    /// Inputs that are spread and multiplied at once.
    private var slabs: [Range<Int>] {
        let size = Int(withUnsafePointer(to: shape.cube, ws_slab_inputs))
        return stride(from: 0, to: inputs, by: size).map { $0..<min($0 + size, inputs) }
    }

    /// For `[position][input of a slab][channel of a panel]`.
    private func slabBuffer() -> Buffer {
        let distance = withUnsafePointer(to: shape.cube) { ws_slab_distance($0, kernels.panel) }
        return Buffer(count: shape.positions * Int(distance), on: cpu)
    }

    /// For `[position][cube][column]`.
    private func buffer(chunk: Int, columns: Int) -> Buffer {
        Buffer(count: shape.positions * Int(ws_spread_distance(cubes(in: chunk), Int32(columns))), on: cpu)
    }

    /// The number of cubes in a chunk.
    private func cubes(in chunk: Int) -> Int32 { chunks.runs[chunks.chunks[chunk]].reduce(0) { $0 + $1.count } }
}
