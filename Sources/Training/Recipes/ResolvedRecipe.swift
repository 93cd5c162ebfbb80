/// A value that a typed recipe has read.
public indirect enum ResolvedValue: Sendable {
    /// A number, word, text, `true`, `false` or nothing.
    case scalar(RecipeScalar)
    /// A list.
    case list([ResolvedValue])
    /// A section, in the order in which its keys were read.
    case section([(key: String, value: ResolvedValue)])
}

/// All values that a typed recipe read, defaults included: what a run directory keeps as `recipe.yaml`.
public struct ResolvedRecipe: Sendable {
    /// Keys and values in the order of reading.
    public let values: [(key: String, value: ResolvedValue)]

    /// The recipe as YAML. Loading it gives the same values.
    public var yaml: String { Self.lines(values, indentation: "").joined(separator: "\n") + "\n" }

    /// Every value that is no section by its full key, such as `masking.ratio`, as it stands in the YAML.
    public var flattened: [(key: String, value: String)] { Self.flattened(values, prefix: "") }

    /// The recipe as others may see it: of absolute paths, which tell where data lie, the last name is left.
    public var withoutFolders: ResolvedRecipe {
        func shown(_ value: ResolvedValue) -> ResolvedValue {
            switch value {
            case .scalar(.text(let text)) where text.hasPrefix("/"):
                .scalar(.text(text.split(separator: "/").last.map(String.init) ?? text))
            case .scalar: value
            case .list(let elements): .list(elements.map(shown))
            case .section(let entries): .section(entries.map { ($0.key, shown($0.value)) })
            }
        }
        return ResolvedRecipe(values: values.map { ($0.key, shown($0.value)) })
    }

    /// The recipe without one of its outermost sections.
    public func without(_ section: String) -> ResolvedRecipe {
        ResolvedRecipe(values: values.filter { $0.key != section })
    }

    /// The first key on which two recipes disagree, with both values; `nil` stands for an absent key.
    public func firstDifference(from other: ResolvedRecipe) -> (key: String, here: String?, there: String?)? {
        let (here, there) = (
            Dictionary(flattened) { first, _ in first }, Dictionary(other.flattened) { first, _ in first }
        )
        let keys = flattened.map(\.key) + other.flattened.map(\.key).filter { here[$0] == nil }
        return keys.first { here[$0] != there[$0] }.map { ($0, here[$0], there[$0]) }
    }

    private static func lines(_ values: [(key: String, value: ResolvedValue)], indentation: String) -> [String] {
        values.flatMap { key, value -> [String] in
            guard case .section(let entries) = value else { return ["\(indentation)\(quoted(key)): \(inline(value))"] }
            if entries.isEmpty { return ["\(indentation)\(quoted(key)): {}"] }
            return ["\(indentation)\(quoted(key)):"] + lines(entries, indentation: indentation + "  ")
        }
    }

    private static func flattened(
        _ values: [(key: String, value: ResolvedValue)], prefix: String
    ) -> [(key: String, value: String)] {
        values.flatMap { key, value in
            if case .section(let entries) = value { return flattened(entries, prefix: "\(prefix)\(key).") }
            return [("\(prefix)\(key)", inline(value))]
        }
    }

    private static func inline(_ value: ResolvedValue) -> String {
        switch value {
        case .scalar(.null): "null"
        case .scalar(.bool(let value)): "\(value)"
        case .scalar(.integer(let value)): "\(value)"
        case .scalar(.double(let value)): "\(value)"
        case .scalar(.text(let value)): quoted(value)
        case .list(let elements): "[\(elements.map(inline).joined(separator: ", "))]"
        case .section(let entries):
            "{\(entries.map { "\(quoted($0.key)): \(inline($0.value))" }.joined(separator: ", "))}"
        }
    }

    /// Text as it is where that reads back as the same text, else in double quotes.
    private static func quoted(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || "0123456789_-./+".unicodeScalars.contains($0)
        }
        if plain, !text.hasPrefix("-"), RecipeScalar(plain: text) == .text(text) { return text }
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\t": "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                "\\x" + String(scalar.value + 0x100, radix: 16).dropFirst()
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }
}

extension RecipeDocument {
    /// The document's values as they are written, for comparing two resolved recipes.
    public var asWritten: ResolvedRecipe {
        func resolved(_ node: RecipeNode) -> ResolvedValue {
            switch node.content {
            case .scalar(let scalar): .scalar(scalar)
            case .list(let elements): .list(elements.map(resolved))
            case .section(let entries): .section(entries.map { ($0.key, resolved($0.value)) })
            }
        }
        return ResolvedRecipe(values: root.entries.map { ($0.key, resolved($0.value)) })
    }
}
