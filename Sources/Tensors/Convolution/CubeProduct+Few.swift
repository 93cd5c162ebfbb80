import CKernels

/// Few cubes, as at the bottleneck or where little is visible: spreading all weights to memory, up to eight times as many as
/// the taps, would take longer than the products.
extension CubeProduct {
    /// Whether each chunk spreads the weights for itself, in the cache.
    var isFew: Bool { chunks.chunks.count <= 3 }

    /// ``multiply(_:adjoint:bias:into:)``, chunk by chunk. Every output is the same sum in the same order.
    func multiplyFew(_ weight: Tensor, adjoint: Bool, biases: Buffer, into target: UnsafeMutablePointer<Float>) {
        let inputs = Int32(product.source.shape.channels)
        let panels = self.panels(of: weight, adjoint: adjoint)
        for chunk in chunks.chunks.indices {
            withSpreadInputs(of: chunk, other: target, channels: weight.shape[adjoint ? 3 : 4]) {
                cube, spread, cubes, corners, outside in
                cpu.parallel(panels.count) { index in
                    let scratch = Buffer(count: Int(ws_spread_cubes_scratch(cube, cubes)), on: cpu)
                    withUnsafePointer(to: panels[index]) { panel in
                        kernels.multiply_spread_cubes(
                            cube, panel, spread, cubes, inputs, corners, Int64(WS_CUBES), outside,
                            biases.pointer + Int(panel.pointee.first), scratch.pointer)
                    }
                }
            }
        }
    }

    /// ``outerProduct(with:)`` of a single chunk and whole panels.
    func outerProductOfFew(with other: Tensor) -> Tensor {
        let (inputs, outputs, panel) = (product.source.shape.channels, other.shape.channels, Int(kernels.panel))
        return Tensor(uninitialized: [product.taps, inputs, outputs], on: cpu) { result in
            let result = result.baseAddress!
            withSpreadInputs(of: 0, other: other.pointer, channels: outputs) { cube, spread, cubes, corners, _ in
                cpu.parallel(outputs / panel) { index in
                    let scratch = Buffer(count: Int(ws_spread_cubes_scratch(cube, cubes)), on: cpu)
                    kernels.outer_spread_cubes(
                        cube, spread, cubes, Int32(inputs), corners, Int64(WS_CUBES), Int32(index * panel),
                        scratch.pointer, result + index * panel, Int64(inputs * outputs), Int64(outputs))
                }
            }
        }
    }

    /// Spreads the inputs of a chunk, slab by slab, and calls `body` with them, the number of cubes, and what
    /// ``withTables(_:inputs:other:channels:_:)`` knows of the `other` map.
    private func withSpreadInputs(
        of chunk: Int, other: UnsafeMutablePointer<Float>, channels: Int,
        _ body: (
            UnsafePointer<ws_cube>, UnsafePointer<Float>, Int32, UnsafeMutablePointer<UnsafeRawPointer?>,
            UnsafeRawPointer
        ) -> Void
    ) {
        let inputs = product.source.shape.channels
        withTables(chunk, inputs: inputs, other: other, channels: channels) { neighbours, corners, cubes, outside in
            withUnsafePointer(to: shape.cube) { cube in
                let slab = Int(ws_slab_of_cubes(cube)), slabs = (inputs + slab - 1) / slab
                let size = Int(ws_spread_slab_size(cube, cubes))
                let spread = Buffer(count: slabs * size, on: cpu)
                cpu.parallel(slabs) { index in
                    let first = index * slab
                    kernels.spread_cubes(
                        cube, neighbours, Int64(WS_CUBES), cubes, Int32(first), Int32(min(slab, inputs - first)),
                        spread.pointer + index * size)
                }
                body(cube, spread.pointer, cubes, corners, outside)
            }
        }
    }

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
