/// Where a map is filled, what cubes of one kind have in common is computed once: the products of their filled channels.
extension CubeProduct {
    /// ``multiply(_:adjoint:bias:into:)`` of a filled source: to the products of the other channels, those of the filled ones
    /// of the first cube of the kind are added.
    func multiply(
        _ weight: Tensor, bias: Tensor?, repeating cubes: RepeatedCubes, into target: UnsafeMutablePointer<Float>
    ) {
        let (outputs, first, voxels) = (weight.shape[4], cubes.firstChannel, cubes.edges.volume)
        over(cubes.others).multiplyAll(weight, adjoint: false, bias: bias, into: target, rowLength: outputs)
        let (others, filled) = Self.split(weight, at: first)
        let seen = cubes.firstBoxes(
            in: product.source, channels: first..<inputs, before: before, shape.neighbourhood)
        let common = Tensor(uninitialized: cubes.shape(cubes.edges, outputs), on: cpu) {
            ofBoxes(seen).multiplyAll(
                filled, adjoint: false, bias: others == nil ? bias : nil, into: $0.baseAddress!, rowLength: outputs)
        }
        over(cubes.repeated, inputs: first).multiplyIfAny(
            others, adjoint: false, bias: bias, into: target, rowLength: outputs
        ) { chunk, channels in
            cubes.forEachVoxel(ofChunk: chunk) { kind, place, voxel in
                let (source, result) = (common.pointer + (kind * voxels + place) * outputs, target + voxel * outputs)
                if others == nil {
                    result.update(from: source, count: outputs)
                } else {
                    for c in channels { result[c] += source[c] }
                }
            }
        }
    }

    /// ``multiply(_:adjoint:bias:into:)`` for the gradient of a filled map: in its filled channels, the sum over the cubes
    /// that repeat one goes to that one. A gradient has no bias.
    func multiplyAdjoint(
        _ weight: Tensor, repeating cubes: RepeatedCubes, into target: UnsafeMutablePointer<Float>
    ) {
        let (channels, first, voxels) = (weight.shape[3], cubes.firstChannel, cubes.edges.volume)
        let count = channels - first
        over(cubes.others).multiplyAll(weight, adjoint: true, bias: nil, into: target, rowLength: channels)
        let (others, filled) = Self.split(weight, at: first)
        over(cubes.repeated).multiplyIfAny(
            others, adjoint: true, bias: nil, into: target, rowLength: channels
        ) { chunk, written in
            guard written.lowerBound == 0 else { return }
            cubes.forEachVoxel(ofChunk: chunk) { _, _, voxel in
                (target + voxel * channels + first).update(repeating: 0, count: count)
            }
        }
        let seen = cubes.sums(of: product.source, before: before, shape.neighbourhood)
        let sums = Tensor(uninitialized: cubes.shape(cubes.edges, count), on: cpu) {
            ofBoxes(seen).multiplyAll(filled, adjoint: true, bias: nil, into: $0.baseAddress!, rowLength: count)
        }
        cubes.forEachVoxelOfFirsts { kind, place, voxel in
            let (source, result) = (sums.pointer + (kind * voxels + place) * count, target + voxel * channels + first)
            for c in 0..<count { result[c] += source[c] }
        }
    }

    /// ``outerProduct(with:)`` of a filled source: for cubes that repeat one, the sum of their gradients is multiplied.
    func outerProduct(with other: Tensor, repeating cubes: RepeatedCubes) -> Tensor {
        let (outputs, first) = (other.shape.channels, cubes.firstChannel)
        let result = over(cubes.others).outerProductOfAll(with: other)
        func add(_ part: Tensor, from first: Int) {
            let inputs = part.shape[1]
            cpu.parallelRows(product.taps * inputs, length: outputs) { row in
                let target = result.pointer + (row / inputs * self.inputs + first + row % inputs) * outputs
                for c in 0..<outputs { target[c] += part.pointer[row * outputs + c] }
            }
        }
        if first > 0 { add(over(cubes.repeated, inputs: first).outerProductOfAll(with: other), from: 0) }
        let seen = cubes.firstBoxes(
            in: product.source, channels: first..<inputs, before: before, shape.neighbourhood)
        add(ofBoxes(seen).outerProductOfAll(with: cubes.sums(of: other, before: 0, cubes.edges)), from: first)
        return result
    }

    /// ``multiplyAll(_:adjoint:bias:into:rowLength:finish:)``, or without weights nothing but `finish` of whole chunks.
    private func multiplyIfAny(
        _ weight: Tensor?, adjoint: Bool, bias: Tensor?, into target: UnsafeMutablePointer<Float>, rowLength: Int,
        finish: @escaping (_ chunk: Int, _ channels: Range<Int>) -> Void
    ) {
        guard let weight else { return cpu.parallel(chunks.chunks.count) { finish($0, 0..<rowLength) } }
        multiplyAll(weight, adjoint: adjoint, bias: bias, into: target, rowLength: rowLength, finish: finish)
    }

    /// The same products for a map of one neighbourhood per sample.
    private func ofBoxes(_ neighbourhoods: Tensor) -> CubeProduct {
        let (kernel, transposed) = (product.geometry.kernel, product.geometry.transposed != 0)
        let taps = Extent3(depth: Int(kernel.0), height: Int(kernel.1), width: Int(kernel.2))
        // No cube sees voxels outside its neighbourhood.
        let geometry = ConvGeometry(kernel: taps, padding: transposed ? taps.zipped(with: 1, -) : 0)
        return CubeProduct(
            GatheredProduct(
                source: neighbourhoods, geometry: geometry, pixels: shape.edges, mask: nil, transposed: transposed),
            shape: shape)
    }

    /// The weights of the channels before `first`, if there are any, and of the others.
    private static func split(_ weight: Tensor, at first: Int) -> (before: Tensor?, from: Tensor) {
        let weight = weight.detached
        return (
            first > 0 ? slice(weight, axis: 3, 0..<first) : nil, slice(weight, axis: 3, first..<weight.shape[3])
        )
    }
}
