import Tensors

/// The numbers that determine stem and stages of a 3D residual network, MedicalNet's or an inflated 2D one. He et al. 2015,
/// arXiv:1512.03385; Chen, Ma, Zheng 2019, arXiv:1904.00625.
public struct ResNetShape: Codable, Hashable, Sendable {
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

    /// Blocks of each of the four stages.
    public var blocks: [Int]
    /// Whether a block is 1x1x1, 3x3x3, 1x1x1 with four times the channels at its end, or else two 3x3x3.
    public var hasBottlenecks: Bool
    /// What joins maps of different channels.
    public var shortcut: Shortcut
    /// Channels of the stem; the stages' blocks have 1, 2, 4 and 8 times as many. 64 in all published networks.
    public var width: Int
    /// Whether the last two stages keep an eighth of the resolution and see farther instead, as MedicalNet's do; else each
    /// halves it, down to a thirty-second, as 2D networks do.
    public var isDilated: Bool

    /// Stages of any size.
    public init(blocks: [Int], hasBottlenecks: Bool, shortcut: Shortcut, width: Int = 64, isDilated: Bool = true) {
        check(blocks.count == 4, "a ResNet has four stages, got \(blocks.count)")
        (self.blocks, self.hasBottlenecks, self.shortcut) = (blocks, hasBottlenecks, shortcut)
        (self.width, self.isDilated) = (width, isDilated)
    }

    /// A network of MedicalNet; its published weights were trained with this shortcut.
    public init(_ depth: Depth) {
        let isPadded = depth == .eighteen || depth == .thirtyFour
        self.init(
            blocks: Self.blocks(depth), hasBottlenecks: depth.rawValue >= 50, shortcut: isPadded ? .padded : .projected)
    }

    /// A 2D network as torchvision publishes it, for inflation.
    public init(inflated depth: Depth) {
        self.init(
            blocks: Self.blocks(depth), hasBottlenecks: depth.rawValue >= 50, shortcut: .projected, isDilated: false)
    }

    private static func blocks(_ depth: Depth) -> [Int] {
        switch depth {
        case .ten: [1, 1, 1, 1]
        case .eighteen: [2, 2, 2, 2]
        case .thirtyFour, .fifty: [3, 4, 6, 3]
        case .oneHundredOne: [3, 4, 23, 3]
        case .oneHundredFiftyTwo: [3, 8, 36, 3]
        case .twoHundred: [3, 24, 36, 3]
        }
    }

    /// The depth by which the network is known, if it is one of those.
    public var depth: Depth? {
        Depth.allCases.first { Self.blocks($0) == blocks && ($0.rawValue >= 50) == hasBottlenecks }
    }

    /// How many times the channels of its convolutions a block gives out.
    var expansion: Int { hasBottlenecks ? 4 : 1 }

    /// Stride and dilation of each stage.
    var geometry: [(stride: Extent3, dilation: Extent3)] {
        isDilated ? [(1, 1), (2, 1), (1, 2), (1, 4)] : [(1, 1), (2, 1), (2, 1), (2, 1)]
    }

    /// Channels of the stages' maps.
    public var features: [Int] { (0..<4).map { (width << $0) * expansion } }

    /// The stages whose maps are the last of their resolution.
    var lastOfResolution: [Int] { (0..<4).filter { $0 == 3 || geometry[$0 + 1].stride != 1 } }
}
