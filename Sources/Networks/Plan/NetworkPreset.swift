import Tensors

/// Networks with a name, and the cubic patch each is meant for.
///
/// nnU-Net's ResEnc M, L and XL are one network at growing patches: its presets bound memory, and only the patch and the
/// batch follow from that. XS and S are ours, for a machine without an accelerator.
public enum NetworkPreset: String, Codable, Sendable, CaseIterable {
    /// 4 stages from 16 channels: for two CPU cores.
    case xs = "resenc-xs"
    /// 4 stages from 32 channels: for a CPU workstation or small structures.
    case s = "resenc-s"
    /// The six stages of L at patches that 8 GB hold.
    case m = "resenc-m"
    /// The network of all pre-training in Wald et al. 2024, arXiv:2410.23132.
    case l = "resenc-l"
    /// The six stages of L at patches that 40 GB hold.
    case xl = "resenc-xl"

    /// The edge of the recommended patch, in voxels.
    public var patchEdge: Int {
        switch self {
        case .xs: 48
        case .s: 64
        case .m: 128
        case .l: 160
        case .xl: 192
        }
    }

    /// The preset's network for these channels.
    public func plan(inputChannels: Int = 1, outputChannels: Int, deepSupervision: Bool = false) -> NetworkPlan {
        let (features, blocks): ([Int], [Int]) =
            switch self {
            case .xs: ([16, 32, 64, 128], [1, 2, 2, 2])
            case .s: ([32, 64, 128, 256], [1, 3, 4, 6])
            case .m, .l, .xl: ([32, 64, 128, 256, 320, 320], [1, 3, 4, 6, 6, 6])
            }
        return NetworkPlan(
            inputChannels: inputChannels, outputChannels: outputChannels, features: features, blocks: blocks,
            deepSupervision: deepSupervision)
    }
}
