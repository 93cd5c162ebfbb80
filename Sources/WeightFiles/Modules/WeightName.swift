/// The names by which dynamic-network-architectures knows one weight.
///
/// A block of convolution and norm registers both twice, as `conv` and `norm` and inside `all_modules`; the decoder keeps
/// a reference to the encoder, so that every name of the encoder occurs again under `decoder.encoder`. The canonical name
/// is the one without these detours.
public enum WeightName {
    private static let detours = [(part: "conv", alias: "all_modules.0"), (part: "norm", alias: "all_modules.1")]

    /// The canonical one of a weight's names.
    public static func canonical(_ name: String) -> String {
        let direct = name.hasPrefix("decoder.encoder.") ? String(name.dropFirst("decoder.".count)) : name
        return detours.reduce(direct) { $0.replacing(".\($1.alias).", with: ".\($1.part).") }
    }

    /// All names of a weight in a PyTorch state dictionary, the canonical one first.
    public static func aliases(of canonical: String) -> [String] {
        let parts = canonical.split(separator: ".")
        var names = [canonical]
        if parts.count >= 3, let detour = detours.first(where: { $0.part == parts[parts.count - 2] }) {
            names.append((parts.dropLast(2) + [detour.alias[...], parts[parts.count - 1]]).joined(separator: "."))
        }
        return canonical.hasPrefix("encoder.") ? names + names.map { "decoder.\($0)" } : names
    }

    /// How much a name's tensor is worth against those of its aliases; the largest is the one to read.
    ///
    /// In checkpoints of the public SparK trainer the twins are separate tensors and only `all_modules` is trained.
    static func precedence(_ name: String) -> Int {
        (name.contains(".all_modules.") ? 2 : 0) + (name.hasPrefix("decoder.encoder.") ? 0 : 1)
    }

    /// Whether `name` is `prefix` or lies below it; everything lies below the empty prefix.
    static func lies(_ name: String, under prefix: String) -> Bool {
        prefix.isEmpty || name == prefix || name.hasPrefix("\(prefix).")
    }
}

extension SafetensorsFile {
    /// The tensors under their canonical names, one per weight.
    ///
    /// Of tensors that are one weight under several names, `all_modules` is read: where they differ, as in checkpoints of
    /// the public SparK trainer, the others are untrained.
    public var canonicalTensors: [String: StoredTensor] {
        var best: [String: String] = [:]
        for name in tensors.keys {
            let canonical = WeightName.canonical(name)
            if let rival = best[canonical], WeightName.precedence(rival) >= WeightName.precedence(name) { continue }
            best[canonical] = name
        }
        return best.compactMapValues { tensors[$0] }
    }

    /// Canonical names of weights that the file holds under several names with different values.
    public var disagreeingNames: [String] {
        let canonical = canonicalTensors
        let disagreeing = tensors.filter { canonical[WeightName.canonical($0.key)] != $0.value }
        return Set(disagreeing.keys.map(WeightName.canonical)).sorted()
    }
}
