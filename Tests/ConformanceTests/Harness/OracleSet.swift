import Foundation
import WeightFiles

/// The cases of one folder with a `manifest.json`.
enum OracleSet {
    /// The folders in `WARMSTART_ORACLE`, separated by colons; without it the small set of this repository.
    static var folders: [String] {
        if let named = ProcessInfo.processInfo.environment["WARMSTART_ORACLE"], !named.isEmpty {
            return named.split(separator: ":").map(String.init)
        }
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return [tests.appending(path: "Fixtures/oracle").path(percentEncoded: false)]
    }

    static func load(_ folder: String) throws -> [OracleCase] {
        let text = try Data(contentsOf: URL(filePath: "\(folder)/manifest.json"))
        let manifest = try JSONDecoder().decode(Manifest.self, from: text)
        var files: [String: SafetensorsFile] = [:]
        return try manifest.cases.map { entry in
            if let name = entry.file, files[name] == nil { files[name] = try SafetensorsFile.read("\(folder)/\(name)") }
            return OracleCase(
                id: entry.id, op: entry.op, note: entry.note ?? "", params: OracleParameters(values: entry.params),
                folder: folder, inputs: entry.inputs ?? [:], weights: entry.weights ?? [:],
                outputs: entry.outputs ?? [:], gradients: entry.gradients ?? [:], values: entry.values ?? [:],
                tolerance: entry.tolerance ?? .init(absolute: 0, relative: 0), tolerances: entry.tolerances ?? [:],
                file: entry.file.flatMap { files[$0] } ?? SafetensorsFile())
        }
    }

    private struct Manifest: Decodable {
        struct Entry: Decodable {
            var id, op: String
            var note, file: String?
            var params: [String: JSON]
            var inputs, weights, outputs, gradients: [String: String]?
            var values: [String: JSON]?
            var tolerance: OracleCase.Tolerance?
            var tolerances: [String: OracleCase.Tolerance]?
        }
        var version: Int
        var cases: [Entry]
    }
}
