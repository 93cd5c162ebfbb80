import Tensors
import WeightFiles

/// Between the oracle's tensors, in PyTorch's layouts, and the suite's.
extension StoredTensor {
    /// A feature map from `[N, C, D, H, W]`, or `[N, C, H, W]` as depth 1.
    func featureMap(on cpu: CPU) throws -> Tensor {
        let spatial = [Int](repeating: 1, count: 5 - shape.count) + shape[2...]
        return Tensor(
            channelsFirst: try floats(), samples: shape[0], channels: shape[1], extent: Extent3(dimensions: spatial),
            on: cpu)
    }

    /// A tensor in the same order of axes.
    func plain(on cpu: CPU) throws -> Tensor { Tensor(try floats(), shape: Shape(shape), on: cpu) }

    /// A trainable parameter.
    func parameter(_ layout: Parameter.Layout, on cpu: CPU) throws -> Parameter {
        Parameter(pytorchShape: Shape(shape), layout: layout, scalars: try floats(), on: cpu)
    }

    /// Class indices from `[N, D, H, W]` or `[N, H, W]`.
    func labelMap() throws -> LabelMap {
        let spatial = [Int](repeating: 1, count: 4 - shape.count) + shape[1...]
        return LabelMap(
            samples: shape[0], extent: Extent3(dimensions: spatial), labels: try integers().map(Int32.init))
    }
}

extension Tensor {
    /// A feature map as `[N, C, D, H, W]`, or with `dimensions` 2 as `[N, C, H, W]`.
    func stored(dimensions: Int = 3) -> StoredTensor {
        let spatial = shape.extent.dimensions.suffix(dimensions)
        return StoredTensor(channelsFirst, shape: [shape.samples, shape.channels] + spatial)
    }

    /// The tensor in the same order of axes.
    var storedPlain: StoredTensor { StoredTensor(scalars, shape: shape.dimensions) }
}

extension Gradients {
    /// The gradient of a parameter in PyTorch's layout; `nil` if there is none.
    func stored(_ parameter: Parameter) -> StoredTensor? {
        self[parameter].map {
            StoredTensor(parameter.pytorchScalars(of: $0), shape: parameter.pytorchShape.dimensions)
        }
    }
}
