/// Where a value of a recipe was written.
public enum RecipePlace: Hashable, Sendable, CustomStringConvertible {
    /// A line of a file, counted from 1.
    case line(Int, file: String)
    /// An override on the command line, such as `a.b=value`.
    case override(String)

    /// For example `Pretrain/mae.yaml:12`.
    public var description: String {
        switch self {
        case .line(let line, let file): "\(file):\(line)"
        case .override(let text): "--set \(text)"
        }
    }
}
