import Networks
import Training

/// Which network a fixed plan has: `plan.preset`.
public enum NetworkChoice: Sendable, Hashable {
    /// A ResEnc U-Net.
    case preset(NetworkPreset)
    /// A U-Net on the encoder of other tools' weights.
    case published(PublishedNetwork)
    /// The network that the weights to start from are for.
    case ofWeights

    private static let all: [NetworkChoice] =
        NetworkPreset.allCases.map { .preset($0) } + PublishedNetwork.allCases.map { .published($0) } + [.ofWeights]

    /// As recipes write it.
    var name: String {
        switch self {
        case .preset(let preset): preset.rawValue
        case .published(let network): network.name
        case .ofWeights: "of-weights"
        }
    }

    /// Whether it is a ResEnc U-Net.
    var isPreset: Bool { if case .preset = self { true } else { false } }

    /// Reads the key `preset`.
    init(reading section: RecipeSection) throws {
        let name = try section.choice("preset", among: Self.all.map(\.name), default: NetworkPreset.l.rawValue)
        self = Self.all.first { $0.name == name } ?? .preset(.l)
    }

    /// The network; nil if it depends on the weights.
    public var plan: NetworkPlan? {
        switch self {
        case .preset(let preset): preset.plan(outputChannels: 1)
        case .published(let network): network.plan(outputChannels: 1)
        case .ofWeights: nil
        }
    }
}
