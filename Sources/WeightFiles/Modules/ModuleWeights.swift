import Networks
import Tensors

/// A difference between a file and a module that the caller of ``Networks/Module/load(_:allowing:)`` accepts.
public enum LoadAllowance: Hashable, Sendable {
    /// Parameters at or below this name may be missing in the file; they keep their values. Empty: any.
    case missing(under: String)
    /// Tensors at or below this name may be left over in the file. Empty: any.
    case unused(under: String)
}

/// What became of every tensor of a file and every parameter and buffer of a module; canonical names.
public struct LoadReport: Hashable, Sendable {
    /// Parameters that got the file's values.
    public let loaded: [String]
    /// Parameters that kept their values: the file has no tensor for them.
    public let untouched: [String]
    /// Tensors of the file that the module has no parameter for.
    public let unused: [String]
    /// Weights that the file holds under several names with different values; `all_modules` was read.
    public let disagreeing: [String]
}

extension Module {
    /// Sets the parameters and buffers to a file's tensors. Either every tensor is accounted for, or nothing changes.
    ///
    /// Names are PyTorch's, canonical or not; see ``SafetensorsFile/canonicalTensors``.
    /// - Parameter allowances: the differences that are intended; none by default.
    /// - Throws: ``ModuleWeightsError``.
    @discardableResult
    public func load(_ file: SafetensorsFile, allowing allowances: LoadAllowance...) throws -> LoadReport {
        try load(file, allowing: allowances)
    }

    /// ``load(_:allowing:)`` with a list of allowances.
    @discardableResult
    public func load(_ file: SafetensorsFile, allowing allowances: [LoadAllowance]) throws -> LoadReport {
        let tensors = file.canonicalTensors
        let (parameters, buffers) = (namedParameters, namedBuffers)
        let names = parameters.map(\.name) + buffers.map(\.name)
        let known = Set(names)
        let missing = names.filter { tensors[$0] == nil }
        let unused = tensors.keys.filter { !known.contains($0) }.sorted()
        try allowances.checkMissing(missing, in: file)
        try allowances.checkUnused(unused, in: file)

        var values: [(name: String, parameter: Parameter, scalars: [Float])] = []
        for (name, parameter) in parameters {
            guard let tensor = tensors[name] else { continue }
            guard tensor.shape == parameter.pytorchShape.dimensions else {
                throw ModuleWeightsError.shape(
                    file: file.path, name: name, expected: parameter.pytorchShape.dimensions, found: tensor.shape)
            }
            guard tensor.elementType.isFloatingPoint else {
                throw ModuleWeightsError.notFloatingPoint(file: file.path, name: name, found: tensor.elementType)
            }
            values.append((name, parameter, try tensor.floats()))
        }
        var states: [(name: String, buffer: Buffer, scalars: [Float])] = []
        for (name, buffer) in buffers {
            guard let tensor = tensors[name] else { continue }
            guard tensor.shape == buffer.shape.dimensions else {
                throw ModuleWeightsError.shape(
                    file: file.path, name: name, expected: buffer.shape.dimensions, found: tensor.shape)
            }
            states.append((name, buffer, tensor.doubles().map { Float($0) }))
        }
        for (_, parameter, scalars) in values { parameter.scalars = scalars }
        for (_, buffer, scalars) in states { buffer.scalars = scalars }
        return LoadReport(
            loaded: values.map(\.name) + states.map(\.name), untouched: missing, unused: unused,
            disagreeing: file.disagreeingNames)
    }

    /// The parameters as float32 tensors in PyTorch's layouts, and the buffers.
    ///
    /// - Parameter everyAlias: under each name that PyTorch knows a weight by, so that a strict `load_state_dict` of
    ///   dynamic-network-architectures accepts them; otherwise under the canonical name only, a third of the size.
    public func storedTensors(everyAlias: Bool) -> [String: StoredTensor] {
        var tensors: [String: StoredTensor] = [:]
        for (name, parameter) in namedParameters {
            let tensor = StoredTensor(parameter.scalars, shape: parameter.pytorchShape.dimensions)
            for alias in everyAlias ? WeightName.aliases(of: name) : [name] { tensors[alias] = tensor }
        }
        for (name, buffer) in namedBuffers {
            tensors[name] =
                buffer.isInteger
                ? StoredTensor(buffer.scalars.map { Int64($0) }, shape: buffer.shape.dimensions)
                : StoredTensor(buffer.scalars, shape: buffer.shape.dimensions)
        }
        return tensors
    }
}

extension [LoadAllowance] {
    fileprivate func checkMissing(_ names: [String], in file: SafetensorsFile) throws {
        let prefixes = compactMap { if case .missing(let prefix) = $0 { prefix } else { nil } }
        let unexpected = names.filter { name in !prefixes.contains { WeightName.lies(name, under: $0) } }
        if !unexpected.isEmpty { throw ModuleWeightsError.missing(file: file.path, names: unexpected) }
    }

    fileprivate func checkUnused(_ names: [String], in file: SafetensorsFile) throws {
        let prefixes = compactMap { if case .unused(let prefix) = $0 { prefix } else { nil } }
        let unexpected = names.filter { name in !prefixes.contains { WeightName.lies(name, under: $0) } }
        if !unexpected.isEmpty { throw ModuleWeightsError.unused(file: file.path, names: unexpected) }
    }
}

/// Why a file's tensors do not fit a module.
public enum ModuleWeightsError: UserFacingError, Equatable {
    /// The file lacks tensors that the module needs.
    case missing(file: String, names: [String])
    /// The file has tensors that the module knows nothing of.
    case unused(file: String, names: [String])
    /// A tensor has another shape than its parameter.
    case shape(file: String, name: String, expected: [Int], found: [Int])
    /// A tensor holds integers or booleans.
    case notFloatingPoint(file: String, name: String, found: ElementType)

    /// The file is not for this network.
    public var exitCode: Int32 { ExitStatus.badData }

    /// What does not fit, and the likely reason.
    public var description: String {
        switch self {
        case .missing(let file, let names):
            "\(file): \(Self.list(names)) of the network is missing: the file is for another architecture or part of one."
        case .unused(let file, let names):
            "\(file): the network has no place for \(Self.list(names)): the file is for another architecture."
        case .shape(let file, let name, let expected, let found):
            "\(file): '\(name)' has shape \(found), the network needs \(expected): check channels, features and kernels."
        case .notFloatingPoint(let file, let name, let found):
            "\(file): '\(name)' has elements of type \(found.rawValue), weights need floating point."
        }
    }

    private static func list(_ names: [String]) -> String {
        "'\(names[0])'" + (names.count > 1 ? " (and \(names.count - 1) more)" : "")
    }
}
