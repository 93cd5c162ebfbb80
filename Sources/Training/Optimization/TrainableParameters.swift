/// Which parameters train, by name.
public enum TrainableParameters: Hashable, Sendable {
    /// All.
    case all
    /// Those in one of these modules, such as `decoder`, `encoder.stages.0` or `*.norm`, or so named themselves.
    case only([String])
    /// All but those in these modules.
    case except([String])

    /// The modules that are named.
    var modules: [String] {
        switch self {
        case .all: []
        case .only(let modules), .except(let modules): modules
        }
    }

    /// Whether the parameter called `name` trains.
    public func contains(_ name: String) -> Bool {
        switch self {
        case .all: true
        case .only(let modules): modules.contains { ModuleName($0).contains(name) }
        case .except(let modules): !modules.contains { ModuleName($0).contains(name) }
        }
    }
}

/// The name of a module or parameter in a recipe: its dotted path, such as `encoder.stages.0`, or `*.` and the end of the
/// path, such as `*.norm`, for all that are so called.
struct ModuleName: Hashable, Sendable {
    private let path: String
    private let isSuffix: Bool

    init(_ name: String) {
        isSuffix = name.hasPrefix("*.")
        path = isSuffix ? String(name.dropFirst(2)) : name
    }

    /// Whether the parameter called `name` lies in the module, or is it.
    func contains(_ name: String) -> Bool {
        guard isSuffix else { return name == path || name.hasPrefix("\(path).") }
        return ".\(name).".contains(".\(path).")
    }
}
