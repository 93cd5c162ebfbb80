import Networks
import Tensors

extension PyTorchFile {
    /// Whether nnssl wrote the checkpoint, not nnU-Net: it has nnssl's plan, or a trainer of another name and no plans.
    var isOfNnssl: Bool {
        if scalars.keys.contains(where: { $0.hasPrefix("nnssl_adaptation_plan/") }) { return true }
        guard case .text(let trainer)? = scalars["trainer_name"], !trainer.hasPrefix("nnUNet") else { return false }
        return !scalars.keys.contains { $0.hasPrefix("init_args/plans/") }
    }

    /// What nnU-Net's plans or nnssl's adaptation plan say of spacing, patch and normalization; nil if they do not.
    func transferCard(architecture: NetworkPlan) -> TransferCard? {
        let method: String =
            if case .text(let trainer)? = scalars["trainer_name"] { trainer } else { "unknown" }
        let pretraining = "nnssl_adaptation_plan/pretrain_plan/configurations/"
        var configuration = scalars.keys.filter { $0.hasPrefix(pretraining) }.min().map { path in
            pretraining + path.dropFirst(pretraining.count).prefix { $0 != "/" }
        }
        if configuration == nil, case .text(let name)? = scalars["init_args/configuration"] {
            configuration = "init_args/plans/configurations/\(Self.escaped(name))"
        }
        guard let configuration else { return nil }
        let patches = ["nnssl_adaptation_plan/recommended_downstream_patchsize", "\(configuration)/patch_size"]
        let spacing = numbers("\(configuration)/spacing")
        guard let patch = patches.map(numbers).first(where: { $0.count == 3 }), spacing.count == 3,
            patch.allSatisfy({ (1...65536).contains($0) })
        else { return nil }
        let schemes = texts("\(configuration)/normalization_schemes").map(Self.normalization)
        return TransferCard(
            architecture: architecture, method: method, patch: Extent3(dimensions: patch.map { Int($0) }),
            spacingMM: spacing, normalization: schemes,
            intensities: schemes.contains("ct") ? intensities(channels: schemes.count) : [],
            transferable: ["encoder", "decoder"])
    }

    /// The foreground's intensities in nnU-Net's plans; empty if those of a channel are missing.
    private func intensities(channels: Int) -> [TransferCard.Intensities] {
        let found = (0..<channels).compactMap { channel -> TransferCard.Intensities? in
            let place = "init_args/plans/foreground_intensity_properties_per_channel/\(channel)"
            func number(_ name: String) -> Double? { scalars["\(place)/\(name)"].flatMap(Self.number) }
            guard let mean = number("mean"), let deviation = number("std"), let lower = number("percentile_00_5"),
                let upper = number("percentile_99_5")
            else { return nil }
            return TransferCard.Intensities(mean: mean, deviation: deviation, lower: lower, upper: upper)
        }
        return found.count == channels ? found : []
    }

    private static func number(_ scalar: PyTorchScalar) -> Double? {
        switch scalar {
        case .integer(let value): Double(value)
        case .number(let value) where value.isFinite: value
        default: nil
        }
    }

    /// The numbers of a list, as far as there are any.
    private func numbers(_ path: String) -> [Double] { list(path, Self.number) }

    private func texts(_ path: String) -> [String] {
        list(path) { if case .text(let text) = $0 { text } else { nil } }
    }

    private func list<Element>(_ path: String, _ element: (PyTorchScalar) -> Element?) -> [Element] {
        var elements: [Element] = []
        while let value = scalars["\(path)/\(elements.count)"].flatMap(element) { elements.append(value) }
        return elements
    }

    /// Normalization schemes: nnU-Net's names and ours.
    private static let schemes = [
        (theirs: "ZScoreNormalization", ours: "z_score"), (theirs: "CTNormalization", ours: "ct"),
        (theirs: "RescaleTo01Normalization", ours: "zero_to_one"), (theirs: "RGBTo01Normalization", ours: "rgb"),
        (theirs: "NoNormalization", ours: "none"),
    ]

    private static func normalization(_ name: String) -> String {
        schemes.first { $0.theirs == name }?.ours ?? name
    }

    /// nnU-Net's name of a normalization scheme.
    static func schemeName(_ name: String) -> String { schemes.first { $0.ours == name }?.theirs ?? name }
}
