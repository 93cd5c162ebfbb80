import Foundation

extension WeightsFile {
    /// The weights of a 2D ResNet for a 3D ResNet of the same depth and MedicalNet's names, which has one input channel.
    ///
    /// A kernel `[out, in, k, k]` becomes `[out, in, k, k, k]`, a `k`-th of it in every slice; the first one's input
    /// channels (red, green, blue) are added up. A volume of equal slices then gives in every slice, away from the first
    /// and the last ones, what the 2D network gives for that slice as a grey image. Carreira and Zisserman 2017,
    /// arXiv:1705.07750.
    /// - Throws: ``WeightsFileError/notPlanar(file:network:)``, ``SafetensorsError``.
    public func inflated() throws -> WeightsFile {
        guard network == .resNet2D else { throw WeightsFileError.notPlanar(file: path, network: network) }
        var result = self
        result.network = .resNet3D
        for (name, tensor) in weights.tensors where tensor.shape.count == 4 && tensor.count > 0 {
            let isStem = name == "conv1.weight"
            let inflated = try tensor.inflated(addingInputs: isStem)
            result.weights.tensors[name] = inflated
            result.reshaped.append(
                Reshaped(
                    name: name, from: tensor.shape, to: inflated.shape,
                    how: isStem ? "colours added up, inflated along the depth" : "inflated along the depth"))
        }
        result.reshaped.sort { $0.name < $1.name }
        return result
    }
}

extension StoredTensor {
    /// A kernel `[out, in, h, w]` as `[out, in or 1, h, h, w]`, divided by its depth `h`.
    fileprivate func inflated(addingInputs: Bool) throws -> StoredTensor {
        let (outputs, inputs, taps, depth) = (shape[0], shape[1], shape[2] * shape[3], shape[2])
        let scalars = try floats()
        let groups = addingInputs ? 1 : inputs
        var result: [Float] = []
        result.reserveCapacity(outputs * groups * depth * taps)
        for output in 0..<outputs {
            for group in 0..<groups {
                let summed = addingInputs ? Array(0..<inputs) : [group]
                let slice = (0..<taps).map { tap in
                    summed.reduce(0) { $0 + scalars[(output * inputs + $1) * taps + tap] } / Float(max(1, depth))
                }
                for _ in 0..<depth { result += slice }
            }
        }
        return StoredTensor(result, shape: [outputs, groups, depth, shape[2], shape[3]])
    }
}
