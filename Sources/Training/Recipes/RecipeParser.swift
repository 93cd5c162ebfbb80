import Yams

/// Turns YAML text into ``RecipeNode``s.
enum RecipeParser {
    /// Aliases can make a small file mean an immense tree; no recipe is larger than this.
    private static let mostNodes = 10_000

    /// The tree of a file; an empty file is an empty section.
    static func parse(_ text: String, file: String) throws -> RecipeNode {
        let top = RecipePlace.line(1, file: file)
        var left = mostNodes
        guard let node = try compose(text, at: top, file: file) else {
            return RecipeNode(content: .section([]), place: top)
        }
        let tree = try convert(node, left: &left) { .line($0?.line ?? 1, file: file) }
        guard case .section = tree.content else {
            throw RecipeError(at: tree.place, "a recipe is a list of `key: value` lines, found \(tree.found)")
        }
        return tree
    }

    /// The section that an override `a.b=value` describes.
    static func parse(override text: String) throws -> RecipeNode {
        let place = RecipePlace.override(text)
        guard let equals = text.firstIndex(of: "=") else { throw RecipeError(at: place, "expected key=value") }
        let keys = text[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard keys.allSatisfy({ !$0.isEmpty }) else { throw RecipeError(at: place, "expected key=value") }
        var left = mostNodes
        let value = String(text[text.index(after: equals)...])
        let leaf =
            try compose(value, at: place, file: nil).map { try convert($0, left: &left) { _ in place } }
            ?? RecipeNode(content: .scalar(.null), place: place)
        return keys.reversed().reduce(leaf) { inner, key in
            RecipeNode(content: .section([.init(key: key, place: place, value: inner)]), place: place)
        }
    }

    private static func compose(_ text: String, at place: RecipePlace, file: String?) throws -> Node? {
        func fail(_ line: Int?, _ problem: String) -> RecipeError {
            guard let file, let line else { return RecipeError(at: place, problem) }
            return RecipeError(at: .line(line, file: file), problem)
        }
        do {
            return try Yams.compose(yaml: text)
        } catch YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _)
        {
            throw fail(mark.line, "not valid YAML: \(problem)")
        } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
            throw fail(context.mark.line, "the key '\(keys[0])' is given twice")
        } catch YamlError.reader(let problem, _, _, _) {
            throw fail(nil, "not valid YAML: \(problem)")
        } catch {
            throw fail(nil, "not valid YAML")
        }
    }

    private static func convert(
        _ node: Node, left: inout Int, at place: (Mark?) -> RecipePlace
    ) throws -> RecipeNode {
        left -= 1
        guard left > 0 else { throw RecipeError(at: place(node.mark), "more than \(mostNodes) values") }
        let content: RecipeNode.Content
        switch node {
        case .scalar(let scalar):
            content = .scalar(scalar.style == .plain ? RecipeScalar(plain: scalar.string) : .text(scalar.string))
        case .sequence(let elements):
            content = .list(try elements.map { try convert($0, left: &left, at: place) })
        case .mapping(let pairs):
            content = .section(
                try pairs.map { key, value in
                    guard case .scalar(let name) = key else {
                        throw RecipeError(at: place(key.mark), "a key is a word, found a list or section")
                    }
                    return .init(
                        key: name.string, place: place(key.mark), value: try convert(value, left: &left, at: place))
                })
        case .alias:
            throw RecipeError(at: place(node.mark), "an alias that refers to nothing")
        }
        return RecipeNode(content: content, place: place(node.mark))
    }
}
