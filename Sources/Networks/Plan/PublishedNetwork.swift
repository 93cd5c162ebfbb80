/// Networks whose weights other tools publish, by the names that recipes give them.
public enum PublishedNetwork: Hashable, Sendable, CaseIterable {
    /// MedicalNet's ResNets.
    case medicalNet(ResNetShape.Depth)
    /// 2D ResNets, inflated to 3D.
    case inflated(ResNetShape.Depth)
    /// Models Genesis' U-Net.
    case genesis

    /// All of them. There are no 2D networks of depths 10 and 200.
    public static let allCases: [PublishedNetwork] =
        ResNetShape.Depth.allCases.map { .medicalNet($0) }
        + [ResNetShape.Depth.eighteen, .thirtyFour, .fifty, .oneHundredOne, .oneHundredFiftyTwo].map { .inflated($0) }
        + [.genesis]

    /// For example `medicalnet-10`, `resnet-50` or `genesis`.
    public var name: String {
        switch self {
        case .medicalNet(let depth): "medicalnet-\(depth.rawValue)"
        case .inflated(let depth): "resnet-\(depth.rawValue)"
        case .genesis: "genesis"
        }
    }

    /// The segmentation network on it.
    public func plan(outputChannels: Int) -> NetworkPlan {
        switch self {
        case .medicalNet(let depth): NetworkPlan(encoder: ResNetShape(depth), outputChannels: outputChannels)
        case .inflated(let depth): NetworkPlan(encoder: ResNetShape(inflated: depth), outputChannels: outputChannels)
        case .genesis: NetworkPlan(genesisOfWidth: 32, outputChannels: outputChannels)
        }
    }
}
