import Foundation
import WeightFiles

/// Operations of the oracle's sets that the room `WeightFiles` answers.
enum WeightFileOps {
    static let operations: [String: OracleOperation] = ["checkpoint": readCheckpoint]

    /// A file that was read although it is broken, or refused for the wrong reason.
    struct WrongVerdict: Error, CustomStringConvertible {
        let description: String
    }

    /// What a malicious pickle would create if anything in it were executed.
    private static let traces = ["/tmp/pwned", "/tmp/oracle_traversal", "/tmp/oracle_absolute"]

    @Sendable
    private static func readCheckpoint(_ oracle: OracleCase) throws -> OracleResults {
        let expect = try oracle.params.string("expect")
        defer { for trace in traces { try? FileManager.default.removeItem(atPath: trace) } }
        do {
            let results = try content(of: try oracle.path())
            if let trace = traces.first(where: FileManager.default.fileExists) {
                throw WrongVerdict(description: "reading the file wrote \(trace)")
            }
            if expect == "error" { throw WrongVerdict(description: "read although it should be refused") }
            if expect == "ok" { try checkTypes(results.outputs, oracle) }
            return results
        } catch let error as PyTorchError where expect != "ok" {
            try compare(error.kind.rawValue, error, with: oracle)
        } catch let error as SafetensorsError where expect != "ok" {
            try compare("bad_safetensors", error, with: oracle)
        }
        return OracleResults()
    }

    private static func compare(_ kind: String, _ error: any Error, with oracle: OracleCase) throws {
        let expected = try oracle.params.string("error")
        guard try oracle.params.string("expect") == "error", kind != expected else { return }
        throw WrongVerdict(description: "expected \(expected), got \(kind): \(error)")
    }

    /// The comparison of numbers does not see their type, nor tensors too many.
    private static func checkTypes(_ tensors: [String: StoredTensor], _ oracle: OracleCase) throws {
        for (name, tensor) in tensors {
            guard oracle.outputs[name] != nil else { throw WrongVerdict(description: "\(name) is not in the file") }
            let expected = try oracle.expectedOutput(name).elementType
            guard tensor.elementType == expected else {
                throw WrongVerdict(description: "\(name) is \(tensor.elementType), expected \(expected)")
            }
        }
    }

    private static func content(of path: String) throws -> OracleResults {
        if path.hasSuffix(".safetensors") { return OracleResults(outputs: try SafetensorsFile.read(path).tensors) }
        let file = try PyTorchFile.read(path)
        return OracleResults(
            outputs: file.tensors,
            values: file.scalars.mapValues { scalar in
                switch scalar {
                case .none: .null
                case .bool(let value): .bool(value)
                case .integer(let value): .number(Double(value))
                case .number(let value): .number(value)
                case .text(let value): .string(value)
                }
            })
    }
}
