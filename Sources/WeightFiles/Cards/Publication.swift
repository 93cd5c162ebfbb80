import Foundation
import Tensors

/// Puts weights into a folder for others: the file, a model card, an entry in the index.
public struct Publication: Sendable {
    /// The name; letters, digits, `-`, `_` and `.`.
    public var name: String
    /// On which images the weights were trained.
    public var data: String
    /// What they are good for, and what not.
    public var intendedUse: String
    /// The licence, as an SPDX identifier.
    public var licence: String
    /// The recipe of the training, or nil.
    public var recipe: String?
    /// The modules to publish; nil: all that the weights' card calls transferable.
    public var parts: [String]?
    /// Whether kernels are rounded to bfloat16, half the size; norms and biases never are.
    public var rounds = false
    /// The commands that make the weights again.
    public var commands: [String] = []
    /// What computed them, such as `float32 on avx512`, or nil: other arithmetic gives other bits.
    public var arithmetic: String?

    /// A publication.
    public init(name: String, data: String, intendedUse: String, licence: String, recipe: String?) {
        (self.name, self.data, self.intendedUse) = (name, data, intendedUse)
        (self.licence, self.recipe) = (licence, recipe)
    }

    /// Writes `NAME.safetensors`, with one name for each weight and without segmentation heads, `NAME.md`, and the entry.
    /// - Returns: the entry.
    /// - Throws: ``PublicationError`` for weights without a transfer card and for a bad name; ``FileError``.
    public func write(_ source: WeightsFile, into folder: String) throws -> WeightsIndex.Entry {
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_."))
        guard !name.isEmpty, !name.hasPrefix("."), name.unicodeScalars.allSatisfy(allowed.contains) else {
            throw PublicationError.badName(name)
        }
        guard var card = source.card else { throw PublicationError.noCard(file: source.path) }
        if let parts {
            if let other = parts.first(where: { !card.transferable.contains($0) }) {
                throw PublicationError.noSuchPart(other, file: source.path, parts: card.transferable)
            }
            card.transferable = parts
        }
        var tensors = source.weights.canonicalTensors.filter { entry in
            card.transferable.contains { entry.key.hasPrefix("\($0).") }
                && !["decoder.seg_layers.", "decoder.out_tr."].contains(where: entry.key.hasPrefix)
        }
        if rounds { tensors = try tensors.mapValues { try $0.shape.count > 1 ? $0.asBFloat16() : $0 } }
        var index = try WeightsIndex(ofFolder: folder)
        let file = "\(name).safetensors"
        try SafetensorsFile.write(tensors, metadata: card.metadata, to: "\(folder)/\(file)")
        let entry = WeightsIndex.Entry(
            name: name, file: file, sha256: try SHA256.ofFile("\(folder)/\(file)"),
            parameters: tensors.values.reduce(0) { $0 + $1.count }, method: card.method, patch: card.patch.dimensions,
            spacingMM: card.spacingMM, normalization: card.normalization, data: data, intendedUse: intendedUse,
            licence: licence)
        try AtomicFile.write(modelCard(entry, card), to: "\(folder)/\(name).md")
        index.add(entry)
        try index.write(toFolder: folder)
        return entry
    }

    /// The model card in Markdown.
    private func modelCard(_ entry: WeightsIndex.Entry, _ card: TransferCard) -> String {
        let plan = card.architecture
        let commandText =
            commands.isEmpty ? "" : "\n## Commands\n\n```\n\(commands.joined(separator: "\n"))\n```\n\(sameBits)"
        let recipeText = recipe.map { "\n## Recipe\n\n```yaml\n\($0.trimmingCharacters(in: .newlines))\n```\n" } ?? ""
        return """
            # \(entry.name)

            \(intendedUse)

            | | |
            | --- | --- |
            | file | `\(entry.file)`, \(entry.parameters) weights\(rounds ? ", kernels in bfloat16" : "") |
            | SHA-256 | `\(entry.sha256)` |
            | method | \(entry.method) |
            | network | \(plan.architecture.rawValue), channels \(plan.features.map(String.init).joined(separator: "/")) |
            | input channels | \(plan.inputChannels) |
            | patch | \(entry.patch.map(String.init).joined(separator: " x ")) voxels |
            | spacing | \(entry.spacingMM.map { "\($0)" }.joined(separator: " x ")) mm |
            | normalization | \(entry.normalization.joined(separator: ", ")) |
            | transferable | \(card.transferable.joined(separator: ", ")) |
            | data | \(data) |
            | licence | \(licence) |

            Use it with `warmstart finetune RECIPE --data DATASET --init \(entry.name) --set plan.preset=of-weights --out RUN`.
            `warmstart weights export` writes it for nnU-Net's fine-tuning trainers.
            \(commandText)\(recipeText)
            """
    }

    private var sameBits: String {
        arithmetic.map {
            "\nThis version of Warmstart gives the same bits wherever it computes with \($0), for any number of threads.\n"
        } ?? ""
    }
}

/// Why weights cannot be published.
public enum PublicationError: UserFacingError, Equatable {
    /// The name cannot be one of files.
    case badName(String)
    /// Nothing is known of the weights.
    case noCard(file: String)
    /// A module that the weights' card does not call transferable.
    case noSuchPart(String, file: String, parts: [String])

    /// 64 for a bad name, 65 for weights of which nothing is known.
    public var exitCode: Int32 {
        switch self {
        case .badName, .noSuchPart: ExitStatus.usage
        case .noCard: ExitStatus.badData
        }
    }

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .badName(let name): "'\(name)' cannot name a file: use letters, digits, '-', '_' and '.'."
        case .noSuchPart(let part, let file, let parts):
            "\(file) has no part '\(part)' that others could use, only \(parts.joined(separator: " and "))."
        case .noCard(let file):
            "\(file) has no transfer card, so nobody could know how to use it: publish the weights of a run."
        }
    }
}
