import Networks
import Tensors

extension UNet {
    /// Small networks that differ in everything a plan can say.
    static let variety: [NetworkPlan] = [
        NetworkPlan(inputChannels: 1, outputChannels: 2, features: [4, 6, 8], blocks: [1, 2, 1]),
        NetworkPlan(
            inputChannels: 2, outputChannels: 3, features: [4, 8, 8], blocks: [1, 1, 2], decoderConvolutions: [2, 1],
            deepSupervision: true, convolutionBias: false),
        NetworkPlan(
            inputChannels: 1, outputChannels: 2, features: [3, 5],
            strides: [1, Extent3(depth: 1, height: 2, width: 2)],
            kernels: [Extent3(depth: 1, height: 3, width: 3), 3], blocks: [2, 1]),
        NetworkPlan(dimensions: .two, inputChannels: 3, outputChannels: 2, features: [4, 6, 8], blocks: [1, 1, 1]),
        NetworkPlan(
            architecture: .plain, inputChannels: 1, outputChannels: 2, features: [4, 6, 8], blocks: [2, 2, 2],
            decoderConvolutions: [2, 2]),
    ]
}

extension Tensor {
    /// Standard normal numbers.
    static func noise(_ shape: Shape, seed: UInt64 = 1, on cpu: CPU) -> Tensor {
        var draws = Draws(seed: seed, purpose: "test noise")
        return Tensor((0..<shape.count).map { _ in Float(draws.normal()) }, shape: shape, on: cpu)
    }
}
