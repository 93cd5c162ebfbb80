import Tensors

/// The numbers that determine a U-Net. A value: it says what to build, ``UNet`` builds it.
///
/// Lists have an element per stage, highest resolution first, unless they say otherwise.
public struct NetworkPlan: Codable, Hashable, Sendable {
    /// What the encoder is made of.
    public enum Architecture: String, Codable, Sendable, CaseIterable {
        /// Residual blocks behind a stem.
        case resEnc = "resenc"
        /// Plain convolution blocks.
        case plain
        /// A ResNet as MedicalNet builds it, or a 2D one that was inflated.
        case resNet = "resnet"
        /// The levels of Models Genesis' U-Net, which brings its own decoder.
        case genesis
    }

    /// What stands behind the encoder instead of nnU-Net's decoder: Med3D's heads. Chen, Ma, Zheng 2019, arXiv:1904.00625.
    public enum Head: String, Codable, Sendable, CaseIterable {
        /// The head of MedicalNet's published weights.
        case released
        /// Dense atrous convolutions.
        case denseASPP = "dense-aspp"
        /// One answer for the whole image, behind any encoder.
        case classification

        /// Whether the encoder must be a ResNet.
        public var wantsResNet: Bool { self != .classification }
    }

    /// What the encoder is made of.
    public var architecture: Architecture
    /// Volumes, or slices as volumes of depth 1.
    public var dimensions: Dimensions
    /// Channels of the input, such as MR sequences.
    public var inputChannels: Int
    /// Channels of the logits: the classes with the background.
    public var outputChannels: Int
    /// Channels of each stage's maps.
    public var features: [Int]
    /// How much each stage downsamples, per axis; 1 for the first.
    public var strides: [Extent3]
    /// The kernels of each stage, odd along every axis; `1xkxk` for slices.
    public var kernels: [Extent3]
    /// Residual blocks, or convolutions of the plain encoder, of each stage.
    public var blocks: [Int]
    /// Convolutions of each decoder level, from the bottleneck upwards: one element less than there are stages.
    public var decoderConvolutions: [Int]
    /// Whether a call of the network gives the logits of every decoder level.
    public var deepSupervision: Bool
    /// What normalizes maps; nil for instance norm.
    public var norm: NormKind?
    /// Whether adapters follow the residual blocks of the encoder, and how many channels become one inside them; nil for
    /// none. See ``ResidualAdapter``.
    public var adapterReduction: Int?
    /// Whether convolutions (but the projections of residual blocks, which never do) have a bias.
    public var convolutionBias: Bool
    /// The encoder, where it is a ResNet: `features` and the like then say what the decoder needs to know.
    public var resNet: ResNetShape?
    /// What stands behind the encoder; nil for nnU-Net's decoder.
    public var head: Head?

    /// A plan; ``validate()`` tells whether it can be built.
    ///
    /// - Parameters:
    ///   - strides: by default 1 and then 2 along every axis (along height and width for slices).
    ///   - kernels: by default 3 along every axis (1x3x3 for slices).
    ///   - decoderConvolutions: by default one per level.
    public init(
        architecture: Architecture = .resEnc, dimensions: Dimensions = .three, inputChannels: Int,
        outputChannels: Int, features: [Int], strides: [Extent3]? = nil, kernels: [Extent3]? = nil, blocks: [Int],
        decoderConvolutions: [Int]? = nil, deepSupervision: Bool = false, norm: NormKind? = nil,
        convolutionBias: Bool = true
    ) {
        func inPlane(_ edge: Int) -> Extent3 {
            Extent3(depth: dimensions == .two ? 1 : edge, height: edge, width: edge)
        }
        self.architecture = architecture
        self.dimensions = dimensions
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.features = features
        self.strides = strides ?? features.indices.map { $0 == 0 ? 1 : inPlane(2) }
        self.kernels = kernels ?? features.map { _ in inPlane(3) }
        self.blocks = blocks
        self.decoderConvolutions = decoderConvolutions ?? Array(repeating: 1, count: max(0, features.count - 1))
        self.deepSupervision = deepSupervision
        self.norm = norm
        self.convolutionBias = convolutionBias
    }

    /// The number of resolutions.
    public var stages: Int { features.count }

    /// How many levels of logits a call of the network gives.
    public var outputs: Int { deepSupervision && head == nil ? stages - 1 : 1 }

    /// Input voxels along each axis that one bottleneck voxel stands for: every input extent must be a multiple.
    public var totalStride: Extent3 { cumulativeStrides.last ?? 1 }

    /// Input voxels along each axis that one voxel of each stage stands for.
    public var cumulativeStrides: [Extent3] {
        strides.reduce(into: []) { all, stride in all.append((all.last ?? 1).zipped(with: stride, *)) }
    }
}
