import CKernels

/// Few cubes, as at the bottleneck or where little is visible: spreading all weights to memory, up to eight times as many as
/// the taps, would take longer than the products.
extension CubeProduct {
    /// Whether each chunk spreads the weights for itself, in the cache. For more chunks that takes longer than to fetch what was
    /// spread once.
    var isFew: Bool { chunks.chunks.count <= 3 }

    /// ``multiply(_:adjoint:bias:into:)``. Every output is the same sum in the same order.
    func multiplyFew(_ weight: Tensor, adjoint: Bool, biases: Buffer, into target: UnsafeMutablePointer<Float>) {
        let (inputs, outputs) = (product.source.shape.channels, weight.shape[adjoint ? 3 : 4])
        let panels = self.panels(of: weight, adjoint: adjoint)
        let inputsOfChunks = spreadInputs()
        withUnsafePointer(to: shape.cube) { cube in
            cpu.parallel(chunks.chunks.count * panels.count) { task in
                let (chunk, index) = (task / panels.count, task % panels.count)
                withCorners(of: chunk, in: target, channels: outputs) { corners, cubes, outside in
                    let scratch = Buffer(count: Int(ws_spread_cubes_scratch(cube, cubes)), on: cpu)
                    withUnsafePointer(to: panels[index]) { panel in
                        kernels.multiply_spread_cubes(
                            cube, panel, inputsOfChunks[chunk].pointer, cubes, Int32(inputs), corners, Int64(WS_CUBES),
                            outside, biases.pointer + Int(panel.pointee.first), scratch.pointer)
                    }
                }
            }
        }
    }

    /// ``outerProduct(with:)`` of a single chunk and whole panels.
    func outerProductOfFew(with other: Tensor) -> Tensor {
        let (inputs, outputs, panel) = (product.source.shape.channels, other.shape.channels, Int(kernels.panel))
        let spread = spreadInputs()[0]
        return Tensor(uninitialized: [product.taps, inputs, outputs], on: cpu) { result in
            let result = result.baseAddress!
            withUnsafePointer(to: shape.cube) { cube in
                cpu.parallel(outputs / panel) { index in
                    withCorners(of: 0, in: other.pointer, channels: outputs) { corners, cubes, _ in
                        let scratch = Buffer(count: Int(ws_spread_cubes_scratch(cube, cubes)), on: cpu)
                        kernels.outer_spread_cubes(
                            cube, spread.pointer, cubes, Int32(inputs), corners, Int64(WS_CUBES), Int32(index * panel),
                            scratch.pointer, result + index * panel, Int64(inputs * outputs), Int64(outputs))
                    }
                }
            }
        }
    }

    /// The inputs of each chunk, spread slab by slab, once for all panels.
    private func spreadInputs() -> [Buffer] {
        let inputs = product.source.shape.channels
        return withUnsafePointer(to: shape.cube) { cube in
            let slab = Int(ws_slab_inputs(cube)), slabs = (inputs + slab - 1) / slab
            let sizes = chunks.chunks.map { Int(ws_spread_slab_size(cube, cubes(in: $0))) }
            let spread = sizes.map { Buffer(count: slabs * $0, on: cpu) }
            cpu.parallel(sizes.count * slabs) { task in
                let (chunk, index) = (task / slabs, task % slabs)
                withNeighbourhoods(of: chunk) { neighbours, cubes in
                    kernels.spread_cubes(
                        cube, neighbours, Int64(WS_CUBES), cubes, Int32(index * slab),
                        Int32(min(slab, inputs - index * slab)), spread[chunk].pointer + index * sizes[chunk])
                }
            }
            return spread
        }
    }

    /// The number of cubes in the runs of a chunk.
    private func cubes(in runs: Range<Int>) -> Int32 { chunks.runs[runs].reduce(0) { $0 + $1.count } }

    /// Where the kernels find the weights of each panel. The adjoint of a convolution sees its taps in reverse.
    private func panels(of weight: Tensor, adjoint: Bool) -> [ws_panel] {
        let (stored, columns) = (weight.shape[3], weight.shape[4])
        let outputs = adjoint ? stored : columns
        let (inputDistance, channelDistance) = adjoint ? (1, columns) : (columns, 1)
        return stride(from: 0, to: outputs, by: Int(kernels.panel)).map { first in
            ws_panel(
                weights: weight.pointer + first * channelDistance, tap_distance: Int64(stored * columns),
                input_distance: Int64(inputDistance), channel_distance: Int64(channelDistance), first: Int32(first),
                channels: min(kernels.panel, Int32(outputs - first)), flipped: product.geometry.transposed)
        }
    }
}
