import Tensors

/// How the parameters of a network start.
///
/// Every parameter draws from a stream keyed by its own name: another layer more or less does not change what the others
/// get.
public enum Initializer: String, Codable, Sendable, CaseIterable {
    /// Convolutions: normal with standard deviation `sqrt(2 / (1 + 0.01²)) / sqrt(fan-in)`, biases 0; the last norm of
    /// each residual block gets weight 0, so that a block starts as `LReLU(skip(x))`. What nnU-Net trains from scratch
    /// with. He et al. 2015, arXiv:1502.01852.
    case he
    /// PyTorch's default: weights and biases of convolutions uniform in `±1 / sqrt(fan-in)`. What the public
    /// pre-training code starts from.
    case pytorchDefault = "pytorch-default"

    /// Sets all parameters of convolutions and norms in `network`; adapters start as the identity.
    public func initialize(_ network: any Module, seed: UInt64) {
        for (name, module) in network.namedModules {
            switch module {
            case let layer as any ConvolutionLayer:
                draw(layer.weight, "\(name).weight", fanIn: layer.fanIn, seed)
                if let bias = layer.bias, self == .pytorchDefault {
                    draw(bias, "\(name).bias", fanIn: layer.fanIn, seed)
                } else {
                    layer.bias?.fill(with: 0)
                }
            case let norm as any NormLayer:
                norm.weight.fill(with: 1)
                norm.bias.fill(with: 0)
            default: break
            }
        }
        for case let adapter as ResidualAdapter in network.namedModules.map(\.module) {
            adapter.up.weight.fill(with: 0)
            adapter.up.bias?.fill(with: 0)
        }
        guard self == .he else { return }
        for case let block as ResidualBlock in network.namedModules.map(\.module) {
            block.conv2.norm.weight.fill(with: 0)
        }
    }

    private func draw(_ parameter: Parameter, _ name: String, fanIn: Int, _ seed: UInt64) {
        var draws = Draws(seed: seed, initializing: name)
        let bound = 1 / Double(fanIn).squareRoot()
        let deviation = bound * (2 / (1 + Double(ConvNormActivation.slope * ConvNormActivation.slope))).squareRoot()
        parameter.scalars = (0..<parameter.pytorchShape.count).map { _ in
            Float(self == .he ? deviation * draws.normal() : draws.uniform(in: -bound..<bound))
        }
    }
}

extension Parameter {
    /// Sets every element to `value`.
    public func fill(with value: Float) { update { $0.update(repeating: value) } }
}

extension Draws {
    /// The stream from which the parameter called `name` starts.
    public init(seed: UInt64, initializing name: String) {
        // FNV-1a, 64 bits: a hash that is the same on every machine and in every run.
        let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        self.init(
            seed: seed, purpose: "initialization", step: Int(hash >> 32), sample: Int(hash & 0xFFFF_FFFF))
    }
}
