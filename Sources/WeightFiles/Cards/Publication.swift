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
        guard let card = source.card else { throw PublicationError.noCard(file: source.path) }
        let tensors = source.weights.canonicalTensors.filter { entry in
            card.transferable.contains { entry.key.hasPrefix("\($0).") }
                && !entry.key.hasPrefix("decoder.seg_layers.")
        }
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
        let recipeText = recipe.map { "\n## Recipe\n\n```yaml\n\($0.trimmingCharacters(in: .newlines))\n```\n" } ?? ""
        return """
            # \(entry.name)

            \(intendedUse)

            | | |
            | --- | --- |
            | file | `\(entry.file)`, \(entry.parameters) weights |
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

            Use it with `warmstart finetune RECIPE --data DATASET --init Weights/\(entry.file) --out RUN`; the recipe's
            network must be this one. `warmstart weights export` writes it for nnU-Net and nnssl.
            \(recipeText)
            """
    }
}

/// Why weights cannot be published.
public enum PublicationError: UserFacingError, Equatable {
    /// The name cannot be one of files.
    case badName(String)
    /// Nothing is known of the weights.
    case noCard(file: String)

    /// 64 for a bad name, 65 for weights of which nothing is known.
    public var exitCode: Int32 {
        switch self {
        case .badName: ExitStatus.usage
        case .noCard: ExitStatus.badData
        }
    }

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .badName(let name): "'\(name)' cannot name a file: use letters, digits, '-', '_' and '.'."
        case .noCard(let file):
            "\(file) has no transfer card, so nobody could know how to use it: publish the weights of a run."
        }
    }
}
