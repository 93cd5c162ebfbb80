import Tensors

/// The values of one section of a recipe, read key by key with their types, bounds and defaults.
///
/// A typed recipe reads all its keys from here, so that this object knows which keys exist: keys that were written but
/// never read are errors, and what was read, defaults included, is the resolved recipe.
///
///     struct Masking {
///         let ratio: Double
///         init(reading section: RecipeSection) throws {
///             ratio = try section.double("ratio", default: 0.75, in: 0...1)
///         }
///     }
public final class RecipeSection {
    /// The name of this section with those around it, such as `data.masking`; empty for the whole recipe.
    public let name: String
    let node: RecipeNode
    private var read: [(key: String, value: Reading)] = []

    private enum Reading {
        case value(ResolvedValue)
        case section(RecipeSection)
        case sections([RecipeSection])

        /// The sections within.
        var parts: [RecipeSection] {
            switch self {
            case .value: []
            case .section(let section): [section]
            case .sections(let sections): sections
            }
        }
    }

    init(_ node: RecipeNode, key: String) {
        self.node = node
        name = key
    }

    /// Whether the key is written, with whatever value.
    public func isWritten(_ key: String) -> Bool { node[key] != nil }

    /// The section `key`. An absent one is empty: its keys have their defaults.
    /// - Throws: ``RecipeError`` if something else than a section is written there.
    public func section(_ key: String) throws -> RecipeSection {
        let written = node[key] ?? RecipeNode(content: .section([]), place: node.place)
        let content: RecipeNode
        switch written.content {
        case .section: content = written
        case .scalar(.null): content = RecipeNode(content: .section([]), place: written.place)
        default: throw error(at: key, "expected a section, found \(written.found)")
        }
        let section = RecipeSection(content, key: fullKey(key))
        record(key, .section(section))
        return section
    }

    /// The list of sections `key`. An absent one is `defaultCount` empty sections: their keys have their defaults.
    /// - Throws: ``RecipeError`` if something else than a list of sections is written there.
    public func sections(_ key: String, defaultCount: Int) throws -> [RecipeSection] {
        let empty = RecipeNode(content: .section([]), place: node.place)
        let elements = node[key].map(\.list) ?? Array(repeating: empty, count: defaultCount)
        guard let elements, elements.allSatisfy(\.isSection) else {
            throw error(at: key, "expected a list of sections, found \(node[key]?.found ?? "nothing")")
        }
        let sections = elements.enumerated().map { RecipeSection($0.element, key: "\(fullKey(key))[\($0.offset)]") }
        record(key, .sections(sections))
        return sections
    }

    /// The error that the value of `key` is wrong, for rules that involve several keys.
    public func error(at key: String, _ problem: String) -> RecipeError {
        RecipeError(at: node.entries.first { $0.key == key }?.place ?? node.place, key: fullKey(key), problem)
    }

    /// Reads one value: converts what is written, or takes the default.
    /// - Parameters:
    ///   - expected: for messages, what `convert` accepts.
    ///   - fallback: the value of an absent key; `nil` if the key must be there.
    ///   - resolved: how the value appears in the resolved recipe.
    func value<Value>(
        _ key: String, expecting expected: String, default fallback: Value?, resolved: (Value) -> ResolvedValue,
        convert: (RecipeNode) -> Value?
    ) throws -> Value {
        let value: Value
        if let written = node[key] {
            guard let converted = convert(written) else {
                throw error(at: key, "expected \(expected), found \(written.found)")
            }
            value = converted
        } else if let fallback {
            value = fallback
        } else {
            throw error(at: key, "this key is required: \(expected)")
        }
        record(key, .value(resolved(value)))
        return value
    }

    private func record(_ key: String, _ reading: Reading) {
        check(!read.contains { $0.key == key }, "the recipe's key \(fullKey(key)) is read twice")
        read.append((key, reading))
    }

    private func fullKey(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }
}

extension RecipeSection {
    /// Everything that was read, in the order of reading.
    var resolved: [(key: String, value: ResolvedValue)] {
        read.map { key, reading in
            switch reading {
            case .value(let value): (key, value)
            case .section(let section): (key, .section(section.resolved))
            case .sections(let sections): (key, .list(sections.map { .section($0.resolved) }))
            }
        }
    }

    /// Refuses keys that nobody read.
    /// - Throws: ``RecipeError`` with the nearest key there is.
    func finish() throws { try finish(keysAnywhere: fullKeys) }

    private func finish(keysAnywhere: [String]) throws {
        for entry in node.entries where !read.contains(where: { $0.key == entry.key }) {
            throw RecipeError(at: entry.place, key: fullKey(entry.key), unknown(entry.key, keysAnywhere))
        }
        for part in read.flatMap(\.value.parts) { try part.finish(keysAnywhere: keysAnywhere) }
    }

    private var fullKeys: [String] {
        read.flatMap { key, reading in [fullKey(key)] + reading.parts.flatMap(\.fullKeys) }
    }

    private func unknown(_ key: String, _ keysAnywhere: [String]) -> String {
        let known = read.map(\.key)
        let elsewhere = keysAnywhere.filter { $0.hasSuffix(".\(key)") }
        let guess = EditDistance.nearest(to: key, among: known).map(fullKey) ?? elsewhere.first
        let hint = guess.map { "did you mean '\($0)'? " } ?? ""
        return "unknown key; \(hint)known here: \(known.sorted().joined(separator: ", "))"
    }
}
