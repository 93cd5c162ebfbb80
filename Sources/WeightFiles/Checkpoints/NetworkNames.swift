/// Which network a dictionary of weights belongs to, told from the names, and where its names begin.
struct NetworkNames {
    let network: WeightsNetwork
    /// What stands before every name of the network, such as `encoder_q.`.
    let root: String
    /// What our names have before those of the file: an encoder saved alone lacks its own name.
    let addition: String

    /// The roots that hold the encoder that was trained, the most wanted first. MoCo keeps two encoders; that of the keys
    /// only follows the other.
    private static let wanted = [
        "", "encoder_q.", "base_encoder.", "online_encoder.", "student.", "backbone.", "model.", "network.", "net.",
        "encoder.",
    ]

    /// Recognizes a network.
    /// - Parameter tensors: by name.
    init(of tensors: [String: StoredTensor]) {
        func root(before marks: [String]) -> String? {
            let roots = tensors.keys.flatMap { name in
                marks.filter { name.hasSuffix($0) && (name.count == $0.count || name.dropLast($0.count).last == ".") }
                    .map { String(name.dropLast($0.count)) }
            }
            return roots.min { (Self.rank($0), $0.count, $0) < (Self.rank($1), $1.count, $1) }
        }
        let first = "stages.0.blocks.0.conv1", plain = "stages.0.0.convs.0"
        let blocks = [first, plain].flatMap { ["\($0).conv.weight", "\($0).all_modules.0.weight"] }
        if let root = root(before: blocks.map { "encoder.\($0)" }) {
            (network, self.root, addition) = (.unet, root, "")
        } else if let root = root(before: blocks) {
            (network, self.root, addition) = (.unet, root, "encoder.")
        } else if let root = root(before: ["down_tr64.ops.0.conv1.weight"]) {
            (network, self.root, addition) = (.genesis, root, "")
        } else if let root = root(before: ["layer1.0.conv1.weight"]), let stem = tensors["\(root)conv1.weight"] {
            (network, self.root, addition) = (stem.shape.count == 5 ? .resNet3D : .resNet2D, root, "")
        } else {
            (network, self.root, addition) = (.unknown, "", "")
        }
    }

    /// The names of a U-Net of ours: nothing stands before them, whatever its encoder is.
    static let ours = NetworkNames(network: .unet, root: "", addition: "")

    private init(network: WeightsNetwork, root: String, addition: String) {
        (self.network, self.root, self.addition) = (network, root, addition)
    }

    private static func rank(_ root: String) -> Int { wanted.firstIndex(of: root) ?? wanted.count }

    /// Our name of a weight; nil for what is no part of the network.
    func name(of name: String) -> String? {
        guard name.hasPrefix(root) else { return nil }
        let rest = name.dropFirst(root.count)
        switch network {
        case .resNet2D, .resNet3D:
            let parts = ["conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4.", "conv_seg."]
            return parts.contains(where: rest.hasPrefix) ? String(rest) : nil
        case .unet, .genesis, .unknown: return addition + rest
        }
    }

    /// Why a tensor that is no part of the network is not taken.
    static func reason(forSkipping name: String) -> String {
        func isPart(_ words: [String]) -> Bool { words.contains { name.contains($0) } }
        if isPart(["encoder_k.", "momentum", "teacher", "target_"]) {
            return "the encoder that only follows the trained one"
        }
        if isPart(["queue"]) { return "the queue of keys" }
        if isPart(["proj", "predict"]) || name.contains(".fc.") { return "a projection head" }
        if name.hasPrefix("fc.") || name.contains("classifier") || name.hasPrefix("head.") { return "a classifier" }
        return "parts of the pre-training method"
    }
}
