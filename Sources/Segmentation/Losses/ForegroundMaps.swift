import Tensors

/// Probabilities and labels as losses of shapes compare them: `[N, D, H, W, C]`, background and ignored voxels 0.
struct ForegroundMaps {
    /// Softmax probabilities, differentiable.
    let predicted: Tensor
    /// One-hot labels.
    let expected: Tensor
    /// What terms are averaged over: samples times foreground classes.
    let structures: Double
    /// Voxels of a sample.
    let volume: Double

    /// The maps of a batch: `[N, D, H, W, C]` logits and `[N, D, H, W]` labels.
    init(_ logits: Tensor, labels: LabelMap, ignoring: Int32?) {
        let (shape, cpu) = (logits.shape, logits.cpu)
        let channels = shape.channels
        check(channels > 1, "a loss of shapes needs a foreground class, got logits \(shape)")
        structures = Double(shape.samples * (channels - 1))
        volume = Double(shape.extent.volume)
        expected = Tensor(uninitialized: shape, on: cpu) { map in
            map.initialize(repeating: 0)
            for (voxel, label) in labels.labels.enumerated() where label != ignoring && label != 0 {
                check(label > 0 && label < channels, "the label \(label) is none of the \(channels) classes")
                map[voxel * channels + Int(label)] = 1
            }
        }
        let counted = Tensor(uninitialized: shape, on: cpu) { map in
            for (voxel, label) in labels.labels.enumerated() {
                for c in 0..<channels { map[voxel * channels + c] = c > 0 && label != ignoring ? 1 : 0 }
            }
        }
        predicted = multiply(softmax(logits), counted)
    }

    /// Predicted minus expected.
    var difference: Tensor { add(predicted, scale(expected, by: -1)) }

    /// A map like these from one number per voxel and class; `values` is called for each sample and foreground class and
    /// gives `[D, H, W]`. The background is 0.
    func map(_ values: (_ sample: Int, _ channel: Int) -> [Float]?) -> Tensor {
        let shape = expected.shape
        return Tensor(uninitialized: shape, on: expected.cpu) { map in
            map.initialize(repeating: 0)
            for sample in 0..<shape.samples {
                for channel in 1..<shape.channels {
                    guard let values = values(sample, channel) else { continue }
                    let first = sample * shape.extent.volume * shape.channels + channel
                    for (voxel, value) in values.enumerated() { map[first + voxel * shape.channels] = value }
                }
            }
        }
    }

    /// The voxels of one sample that belong to a class, `[D, H, W]`: above one half.
    static func mask(_ map: Tensor, sample: Int, channel: Int) -> [Bool] {
        let (channels, volume) = (map.shape.channels, map.shape.extent.volume)
        return map.withScalars { scalars in
            (0..<volume).map { scalars[(sample * volume + $0) * channels + channel] > 0.5 }
        }
    }
}
