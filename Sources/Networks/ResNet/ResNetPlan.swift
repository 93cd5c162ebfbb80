import Tensors

/// The numbers that determine a 3D residual network of MedicalNet. Chen, Ma, Zheng 2019, arXiv:1904.00625.
public struct ResNetPlan: Codable, Hashable, Sendable {
    /// How a block's input reaches its output where stride or channels change.
    public enum Shortcut: String, Codable, Sendable {
        /// Every stride-th voxel, new channels zero; no parameters.
        case padded = "A"
        /// A strided 1x1x1 convolution and a norm.
        case projected = "B"
    }

    /// The depths that MedicalNet published.
    public enum Depth: Int, Codable, Sendable, CaseIterable {
        case ten = 10
        case eighteen = 18
        case thirtyFour = 34
        case fifty = 50
        case oneHundredOne = 101
        case oneHundredFiftyTwo = 152
        case twoHundred = 200
    }

    /// Channels of the image.
    public var inputChannels: Int
    /// Blocks of each of the four stages.
    public var blocks: [Int]
    /// Whether a block is 1x1x1, 3x3x3, 1x1x1 with four times the channels at its end, or else two 3x3x3.
    public var hasBottlenecks: Bool
    /// What joins maps of different channels.
    public var shortcut: Shortcut
    /// Channels of the stem; the stages' blocks have 1, 2, 4 and 8 times as many.
    public var width: Int
    /// Channels of the segmentation head's maps.
    public var headWidth: Int
    /// Channels of the logits.
    public var outputChannels: Int

    /// A network of any size; 64 and 32 are the published widths.
    public init(
        inputChannels: Int = 1, blocks: [Int], hasBottlenecks: Bool, shortcut: Shortcut, width: Int = 64,
        headWidth: Int = 32, outputChannels: Int
    ) {
        check(blocks.count == 4, "a ResNet has four stages, got \(blocks.count)")
        (self.inputChannels, self.blocks, self.hasBottlenecks) = (inputChannels, blocks, hasBottlenecks)
        (self.shortcut, self.width, self.headWidth) = (shortcut, width, headWidth)
        self.outputChannels = outputChannels
    }

    /// A published network; its weights were trained with this shortcut.
    public init(_ depth: Depth, outputChannels: Int) {
        let blocks =
            switch depth {
            case .ten: [1, 1, 1, 1]
            case .eighteen: [2, 2, 2, 2]
            case .thirtyFour, .fifty: [3, 4, 6, 3]
            case .oneHundredOne: [3, 4, 23, 3]
            case .oneHundredFiftyTwo: [3, 8, 36, 3]
            case .twoHundred: [3, 24, 36, 3]
            }
        self.init(
            blocks: blocks, hasBottlenecks: depth.rawValue >= 50,
            shortcut: depth == .eighteen || depth == .thirtyFour ? .padded : .projected, outputChannels: outputChannels)
    }

    /// How many times the channels of its convolutions a block gives out.
    var expansion: Int { hasBottlenecks ? 4 : 1 }

    /// Stride and dilation of each stage: the last two keep the resolution and see farther instead.
    static let geometry: [(stride: Extent3, dilation: Extent3)] = [(1, 1), (2, 1), (1, 2), (1, 4)]

    /// Channels of the stages' maps.
    public var features: [Int] { (0..<4).map { (width << $0) * expansion } }
}
