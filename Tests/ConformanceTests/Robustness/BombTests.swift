import Foundation
import Pretraining
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

/// Small files that mean something immense.
@Suite("Bombs are bounded", .serialized)
struct BombTests {
    private func withFile(_ name: String, _ content: Data, _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/warmstart-bomb-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try content.write(to: URL(filePath: "\(folder)/\(name)"))
        try body("\(folder)/\(name)")
    }

    private func expectRefusal(_ body: () throws -> Void) {
        let time = ContinuousClock().measure {
            let error = #expect(throws: (any Error).self) { try body() }
            #expect(error is any UserFacingError, "\(error!)")
        }
        #expect(time < .seconds(10))
    }

    /// Ten lists, each ten times the one before.
    private static let laughs = (1..<12).reduce("a0: &a0 [x]\n") { text, level in
        text + "a\(level): &a\(level) [\(repeatElement("*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
    }

    @Test("recipes: nested without end, aliases of aliases, a million keys", arguments: [0, 1, 2, 3, 4])
    func yaml(kind: Int) throws {
        let depth = 100_000
        let text = [
            "a: " + String(repeating: "[", count: depth),
            "a: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth),
            (0..<2000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n"),
            Self.laughs, (0..<100_000).map { "k\($0): 1" }.joined(separator: "\n"),
        ][kind]
        try withFile("recipe.yaml", Data(text.utf8)) { path in
            expectRefusal { _ = try PretrainingRecipe.load(path, sources: ["none"]) }
        }
    }

    @Test("plans, cards and descriptions of datasets: nested without end")
    func json() throws {
        let depth = 1_000_000
        let text = Data("{\"labels\": \(String(repeating: "[", count: depth))".utf8)
        try withFile("dataset.json", text) { path in
            let folder = (path as NSString).deletingLastPathComponent
            expectRefusal { _ = try Plan(contentsOf: path) }
            expectRefusal { _ = try NNUNetDataset(path: folder) }
            try FileManager.default.copyItem(atPath: path, toPath: "\(folder)/model.json")
            expectRefusal { _ = try SegmentationModelCard(ofRun: folder) }
            try FileManager.default.copyItem(atPath: path, toPath: "\(folder)/index.json")
            expectRefusal { _ = try WeightsIndex(ofFolder: folder) }
        }
    }

    @Test("a safetensors header nested without end")
    func safetensors() throws {
        let header = Data("{\"a\":\(String(repeating: "[", count: 1_000_000))".utf8)
        let file = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
        try withFile("a.safetensors", file) { path in expectRefusal { _ = try WeightsFile.read(path) } }
    }
}
