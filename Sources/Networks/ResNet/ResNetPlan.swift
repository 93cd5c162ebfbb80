/// The numbers that determine a 3D residual network of MedicalNet with its segmentation head. Chen, Ma, Zheng 2019,
/// arXiv:1904.00625.
public struct ResNetPlan: Codable, Hashable, Sendable {
    /// Channels of the image.
    public var inputChannels: Int
    /// Stem and stages.
    public var shape: ResNetShape
    /// Channels of the segmentation head's maps; 32 in the published networks.
    public var headWidth: Int
    /// Channels of the logits.
    public var outputChannels: Int

    /// A network of any size.
    public init(inputChannels: Int = 1, _ shape: ResNetShape, headWidth: Int = 32, outputChannels: Int) {
        (self.inputChannels, self.shape) = (inputChannels, shape)
        (self.headWidth, self.outputChannels) = (headWidth, outputChannels)
    }

    /// A published network.
    public init(_ depth: ResNetShape.Depth, outputChannels: Int) {
        self.init(ResNetShape(depth), outputChannels: outputChannels)
    }
}
