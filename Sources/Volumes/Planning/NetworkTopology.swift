import Networks
import Tensors

/// The numbers that make a U-Net, as plain data. The networks' room turns them into layers.
public struct NetworkTopology: Codable, Hashable, Sendable {
    /// The kind of encoder.
    public enum Architecture: String, Codable, Hashable, Sendable, CaseIterable {
        /// Convolutions in a row: nnU-Net's classic U-Net.
        case plain
        /// Residual blocks: ResEnc U-Net.
        case residual
        /// A 3D ResNet as MedicalNet builds it, or an inflated 2D one.
        case resNet = "resnet"
        /// The U-Net of Models Genesis.
        case genesis
    }

    /// The kind of encoder.
    public var architecture: Architecture
    /// Channels per stage, full resolution first.
    public var features: [Int]
    /// The stride of the step into each stage; the first is 1.
    public var strides: [Extent3]
    /// The kernel of each stage's convolutions.
    public var kernels: [Extent3]
    /// Residual blocks per stage, or convolutions per stage of the plain encoder.
    public var blocks: [Int]
    /// Convolutions per stage of the decoder, full resolution first; one fewer than there are stages.
    public var decoderConvolutions: [Int]
    /// The encoder, where it is a ResNet.
    public var resNet: ResNetShape?
    /// What stands behind a ResNet; nil for nnU-Net's decoder.
    public var head: NetworkPlan.Head?
    /// What normalizes feature maps; nil for instance norm.
    public var norm: NormKind?
    /// How many channels become one inside the adapters behind the encoder's residual blocks; nil without adapters.
    public var adapterReduction: Int?

    /// A topology of these numbers, each list with one element per stage.
    public init(
        architecture: Architecture, features: [Int], strides: [Extent3], kernels: [Extent3], blocks: [Int],
        decoderConvolutions: [Int], resNet: ResNetShape? = nil
    ) {
        let stages = features.count
        check(
            stages > 0 && strides.count == stages && kernels.count == stages && blocks.count == stages
                && decoderConvolutions.count == stages - 1,
            "a topology wants as many strides, kernels and blocks as features, and one decoder stage fewer")
        (self.architecture, self.features, self.strides, self.kernels) = (architecture, features, strides, kernels)
        (self.blocks, self.decoderConvolutions, self.resNet) = (blocks, decoderConvolutions, resNet)
    }

    /// ResEnc-L with its six fixed stages, the network of all pre-training in the S3D study (102 million parameters).
    public static let resEncL = NetworkTopology(
        architecture: .residual, features: [32, 64, 128, 256, 320, 320], strides: [1, 2, 2, 2, 2, 2],
        kernels: [3, 3, 3, 3, 3, 3], blocks: [1, 3, 4, 6, 6, 6], decoderConvolutions: [1, 1, 1, 1, 1])

    /// What every patch size must be a multiple of: the product of the strides per axis.
    public var divisors: Extent3 { strides.reduce(1) { $0.zipped(with: $1, *) } }

    /// The number of values in the outputs of all convolutions in one forward pass of one sample: nnU-Net's proxy for
    /// memory, and a fair one for time.
    ///
    /// A residual block counts a third convolution where channels or size change, although its shortcut may be only a
    /// pooling: so does nnU-Net, whose reference numbers contain it.
    /// - Parameters:
    ///   - patch: the input's size, a multiple of ``divisors``.
    ///   - outputChannels: the channels of the logits.
    ///   - deepSupervision: whether every decoder stage has a head that is evaluated.
    public func activationCount(patch: Extent3, outputChannels: Int, deepSupervision: Bool = false) -> Int {
        let sizes = stageExtents(patch: patch).map(\.volume)
        var count = architecture == .residual ? features[0] * sizes[0] : 0
        for stage in features.indices {
            let map = features[stage] * sizes[stage]
            count += (architecture == .residual ? 2 : 1) * blocks[stage] * map
            let changes = strides[stage] != 1 || (stage > 0 && features[stage] != features[stage - 1])
            if architecture == .residual && changes { count += map }
        }
        for stage in decoderConvolutions.indices {
            count += (1 + decoderConvolutions[stage]) * features[stage] * sizes[stage]
            if stage == 0 || deepSupervision { count += outputChannels * sizes[stage] }
        }
        return count
    }

    /// The size of the feature maps of each stage.
    public func stageExtents(patch: Extent3) -> [Extent3] {
        var size = patch
        return strides.map { stride in
            size = size.zipped(with: stride) { ($0 + $1 - 1) / $1 }
            return size
        }
    }
}
