import Tensors

/// A head that judges the image as a whole: the mean of the encoder's coarsest map, then a fully connected layer, written as
/// a 1x1x1 convolution as Med3D does for nodules. Chen, Ma, Zheng 2019, arXiv:1904.00625.
///
/// Parts: `classifier`.
public struct ClassificationHead: UNetDecoder {
    /// One logit per class.
    public let classifier: Conv3D

    init(inputChannels: Int, outputChannels: Int, dimensions: Dimensions, on cpu: CPU) {
        classifier = Conv3D(
            inputChannels: inputChannels, outputChannels: outputChannels, kernel: 1, dimensions: dimensions, on: cpu)
    }

    /// The layer.
    public var members: [Member] { [.module("classifier", classifier)] }
    /// The layer.
    public var lastLayer: Conv3D { classifier }
    /// One.
    public var layers: [[String]] { [["classifier"]] }

    /// Logits `[N, 1, 1, 1, K]`.
    ///
    /// - Parameters:
    ///   - maps: of the encoder, the coarsest last.
    ///   - outputs: 1.
    public func callAsFunction(_ maps: [Tensor], outputs: Int, in phase: Phase) -> [Tensor] {
        check(outputs == 1, "a classification head has no \(outputs) outputs")
        return [classifier(finest(maps, in: phase), in: phase)]
    }

    /// The mean of the coarsest map over its voxels, `[N, 1, 1, 1, C]`.
    public func finest(_ maps: [Tensor], in phase: Phase) -> Tensor {
        let coarsest = maps[maps.count - 1]
        return scale(spatialSums(coarsest), by: 1 / Float(coarsest.shape.extent.volume))
    }
}
