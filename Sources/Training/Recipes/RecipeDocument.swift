import Foundation
import Tensors
import WeightFiles

/// A recipe as its files and overrides give it, before a typed recipe has read it.
///
/// A file may name one parent (`extends: other.yaml`, relative to its own folder) whose values it overlays, section by
/// section. Overrides (`a.b=value`) come last.
public struct RecipeDocument: Sendable {
    /// The file that was loaded.
    public let path: String
    let root: RecipeNode

    private static let parentKey = "extends"

    /// Reads a recipe, its parents and overrides.
    /// - Parameter overrides: `key=value`, where the key names sections with dots and the value is YAML.
    /// - Throws: ``RecipeError`` if something is no YAML or the parents form a circle, `FileError` if a file cannot be
    ///   read.
    public static func load(_ path: String, overrides: [String] = []) throws -> RecipeDocument {
        let written = try withParents(path, from: nil, children: [])
        return RecipeDocument(path: path, root: try overlay(written, overrides))
    }

    /// A recipe from text.
    /// - Parameter path: the name that messages use; also where parents are looked for.
    /// - Throws: ``RecipeError``.
    public static func parse(_ text: String, path: String = "recipe", overrides: [String] = []) throws -> RecipeDocument
    {
        let written = try withParents(RecipeParser.parse(text, file: path), path, children: [])
        return RecipeDocument(path: path, root: try overlay(written, overrides))
    }

    /// This recipe, changed by what another file itself writes and by overrides: the same training with another switch.
    ///
    /// The file's parents do not count, nor does what it says in `ignored`.
    /// - Parameter name: a path relative to this recipe's folder; nil for none.
    /// - Throws: as ``load(_:overrides:)``.
    public func varied(by name: String?, overrides: [String], ignoring ignored: String) throws -> RecipeDocument {
        var tree = root.removing(ignored)
        if let name {
            let file = URL(filePath: name, relativeTo: URL(filePath: path).deletingLastPathComponent()).path
            let text: String
            do {
                text = try String(contentsOfFile: file, encoding: .utf8)
            } catch {
                throw FileError("read", file, error)
            }
            tree = tree.overlaid(
                by: try RecipeParser.parse(text, file: file).removing(Self.parentKey).removing(ignored))
        }
        return RecipeDocument(path: path, root: try Self.overlay(tree, overrides))
    }

    /// Lets `read` make a typed recipe of this document, then refuses keys that were not read.
    ///
    /// - Returns: the typed recipe, and all values it read, defaults included.
    /// - Throws: ``RecipeError`` for wrong values and unknown keys, or what `read` throws.
    public func resolve<Recipe>(_ read: (RecipeSection) throws -> Recipe) throws -> (Recipe, ResolvedRecipe) {
        let section = RecipeSection(root, key: "")
        let recipe = try read(section)
        try section.finish()
        return (recipe, ResolvedRecipe(values: section.resolved))
    }

    private static func overlay(_ root: RecipeNode, _ overrides: [String]) throws -> RecipeNode {
        try overrides.reduce(root) { $0.overlaid(by: try RecipeParser.parse(override: $1)) }
    }

    private static func withParents(_ path: String, from place: RecipePlace?, children: [String]) throws -> RecipeNode {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            guard let place else { throw FileError("read", path, error) }
            throw RecipeError(at: place, key: parentKey, "cannot read \(path)")
        }
        return try withParents(RecipeParser.parse(text, file: path), path, children: children)
    }

    private static func withParents(_ tree: RecipeNode, _ path: String, children: [String]) throws -> RecipeNode {
        guard let parent = tree[parentKey] else { return tree }
        guard case .scalar(.text(let name)) = parent.content else {
            throw RecipeError(at: parent.place, key: parentKey, "expected the path of a recipe, found \(parent.found)")
        }
        let file = URL(filePath: path)
        let chain = children + [file.standardizedFileURL.path]
        let parentFile = URL(filePath: name, relativeTo: file.deletingLastPathComponent())
        guard !chain.contains(parentFile.standardizedFileURL.path) else {
            throw RecipeError(at: parent.place, key: parentKey, "\(name) extends this file in turn")
        }
        let base = try withParents(parentFile.relativePath(from: path, name), from: parent.place, children: chain)
        return base.overlaid(by: tree.removing(parentKey))
    }
}

extension URL {
    /// The path of `name` in the folder of `path`, as a person would write it.
    fileprivate func relativePath(from path: String, _ name: String) -> String {
        guard !name.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return name }
        return path[...slash] + name
    }
}
