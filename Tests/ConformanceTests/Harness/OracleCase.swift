import Foundation
import Testing
import WeightFiles

/// One case of a manifest: an operation, its parameters, its tensors and what must come out.
struct OracleCase: Sendable, CustomTestStringConvertible {
    /// How far an actual number may be from the expected one.
    struct Tolerance: Sendable, Decodable {
        var absolute: Double
        var relative: Double
    }

    let id: String
    let op: String
    let note: String
    let params: OracleParameters
    /// The folder of the manifest, to which `params.path` is relative.
    let folder: String
    /// For each name of an input, a parameter or buffer, ...: the tensor's key in `file`.
    let inputs, weights, outputs, gradients: [String: String]
    /// Expected scalars.
    let values: [String: JSON]
    let tolerance: Tolerance
    let tolerances: [String: Tolerance]
    let file: SafetensorsFile

    var testDescription: String { id }

    /// The path of a raw file that the parameter `key` names.
    func path(_ key: String = "path") throws -> String { try "\(folder)/\(params.string(key))" }

    func hasInput(_ name: String) -> Bool { inputs[name] != nil }
    func hasWeight(_ name: String) -> Bool { weights[name] != nil }

    func input(_ name: String) throws -> StoredTensor { try tensor(name, of: inputs) }
    func weight(_ name: String) throws -> StoredTensor { try tensor(name, of: weights) }
    func expectedOutput(_ name: String) throws -> StoredTensor { try tensor(name, of: outputs) }
    func expectedGradient(_ name: String) throws -> StoredTensor { try tensor(name, of: gradients) }

    /// All parameters and buffers, under each of their names.
    func allWeights() throws -> [String: StoredTensor] { try weights.mapValues(file.tensor) }

    /// The tolerance of `outputs/NAME`, `gradients/NAME` or `values/NAME`.
    func tolerance(of result: String) -> Tolerance { tolerances[result] ?? tolerance }

    /// The names of inputs, parameters and buffers that mean the same tensor as `name` does, `name` among them.
    func aliases(of name: String) -> [String] {
        guard let key = weights[name] else { return [name] }
        return weights.filter { $0.value == key }.map(\.key)
    }

    private func tensor(_ name: String, of group: [String: String]) throws -> StoredTensor {
        guard let key = group[name] else { throw SafetensorsError.missingTensor(file: "case \(id)", tensor: name) }
        return try file.tensor(key)
    }
}

/// What an operation computed: tensors in PyTorch's layouts and any element type, and scalars.
struct OracleResults {
    var outputs: [String: StoredTensor] = [:]
    /// No entry means that the tensor got no gradient. One of several names of a parameter suffices.
    var gradients: [String: StoredTensor] = [:]
    var values: [String: JSON] = [:]
}

/// Runs an operation on the inputs and weights of a case.
typealias OracleOperation = @Sendable (OracleCase) throws -> OracleResults
