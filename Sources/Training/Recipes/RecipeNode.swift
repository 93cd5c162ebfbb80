/// A recipe as written: scalars, lists and sections, each with its place.
struct RecipeNode: Sendable {
    indirect enum Content: Sendable {
        case scalar(RecipeScalar)
        case list([RecipeNode])
        case section([Entry])
    }

    struct Entry: Sendable {
        let key: String
        /// Where the key stands.
        let place: RecipePlace
        var value: RecipeNode
    }

    var content: Content
    let place: RecipePlace

    /// The entries of a section; empty for anything else.
    var entries: [Entry] {
        if case .section(let entries) = content { entries } else { [] }
    }

    subscript(key: String) -> RecipeNode? { entries.first { $0.key == key }?.value }

    /// This node overlaid by `other`: sections key by key, anything else as a whole.
    ///
    /// A section of another `kind` replaces this one as a whole too: the keys of one kind mean nothing to another.
    func overlaid(by other: RecipeNode) -> RecipeNode {
        if let kind = self["kind"]?.text, let otherKind = other["kind"]?.text, kind != otherKind { return other }
        guard case .section(var entries) = content, case .section(let others) = other.content else { return other }
        for entry in others {
            if let index = entries.firstIndex(where: { $0.key == entry.key }) {
                let value = entries[index].value.overlaid(by: entry.value)
                entries[index] = Entry(key: entry.key, place: entry.place, value: value)
            } else {
                entries.append(entry)
            }
        }
        return RecipeNode(content: .section(entries), place: place)
    }

    func removing(_ key: String) -> RecipeNode {
        guard case .section(let entries) = content else { return self }
        return RecipeNode(content: .section(entries.filter { $0.key != key }), place: place)
    }

    /// For messages: what was found where something else was expected.
    var found: String {
        switch content {
        case .scalar(let scalar): scalar.found
        case .list(let elements): "a list of \(elements.count)"
        case .section(let entries): entries.isEmpty ? "an empty section" : "a section (\(entries[0].key): ...)"
        }
    }
}

/// A scalar under the rules of YAML 1.2: `no` is a word, `true` is not, and quotes make text of anything.
public enum RecipeScalar: Hashable, Sendable {
    /// Nothing.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number without point or exponent.
    case integer(Int)
    /// Any other number.
    case double(Double)
    /// Text.
    case text(String)

    /// What an unquoted word means.
    init(plain text: String) {
        switch text {
        case "", "~", "null": self = .null
        case "true": self = .bool(true)
        case "false": self = .bool(false)
        default:
            if let integer = Int(text) {
                self = .integer(integer)
            } else if text.first.map({ $0.isNumber || "+-.".contains($0) }) == true, let double = Double(text) {
                self = .double(double)
            } else {
                self = .text(text)
            }
        }
    }

    /// For messages.
    var found: String {
        switch self {
        case .null: "nothing"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .double(let value): "\(value)"
        case .text(let value): "'\(value)'"
        }
    }
}
