import Tensors

/// Atrous convolutions at growing rates, each of which sees the map and all results before it: what Med3D's second stage puts
/// behind the encoder. Yang et al. 2018, "DenseASPP for semantic segmentation in street scenes"; Chen, Ma, Zheng 2019,
/// arXiv:1904.00625, in three dimensions.
///
/// Parts: `branches.I.norm1`, `branches.I.conv1`, `branches.I.norm2`, `branches.I.conv2`, and `classifier`. The paper's dropout
/// of 0.1 is left out.
public struct DenseASPP: Module {
    /// The distance of a kernel's taps in each branch, in voxels of the map.
    public static let rates = [3, 6, 12, 18, 24]

    /// One rate: norm, ReLU, 1x1x1, norm, ReLU, 3x3x3.
    public struct Branch: Module {
        private let norms: [BatchNorm]
        private let convs: [Conv3D]

        init(inputChannels: Int, middle: Int, growth: Int, rate: Int, on cpu: CPU) {
            norms = [inputChannels, middle].map { BatchNorm(channels: $0, on: cpu) }
            convs = [
                Conv3D(inputChannels: inputChannels, outputChannels: middle, kernel: 1, bias: false, on: cpu),
                Conv3D(
                    inputChannels: middle, outputChannels: growth, kernel: 3, dilation: Extent3(rate), bias: false,
                    on: cpu),
            ]
        }

        /// Norms and convolutions in turn.
        public var members: [Member] {
            (0..<2).flatMap { [Member.module("norm\($0 + 1)", norms[$0]), .module("conv\($0 + 1)", convs[$0])] }
        }

        /// - Parameter x: `[N, D, H, W, in]`; the result has the growth's channels.
        public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
            zip(norms, convs).reduce(x) { map, step in step.1(relu(step.0(map, in: phase)), in: phase) }
        }
    }

    /// One for each rate.
    public let branches: [Branch]
    /// 1x1x1.
    public let classifier: Conv3D

    /// - Parameters:
    ///   - middle: channels between a branch's two convolutions.
    ///   - growth: channels that each branch adds.
    init(inputChannels: Int, middle: Int, growth: Int, outputChannels: Int, on cpu: CPU) {
        branches = Self.rates.enumerated().map { index, rate in
            Branch(
                inputChannels: inputChannels + index * growth, middle: middle, growth: growth, rate: rate, on: cpu)
        }
        classifier = Conv3D(
            inputChannels: inputChannels + Self.rates.count * growth, outputChannels: outputChannels, kernel: 1, on: cpu
        )
    }

    /// The branches and the classifier.
    public var members: [Member] { Member.modules("branches", branches) + [.module("classifier", classifier)] }

    /// Logits on the map's grid.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        classifier(branches.reduce(x) { map, branch in concatenate([map, branch(map, in: phase)]) }, in: phase)
    }
}
