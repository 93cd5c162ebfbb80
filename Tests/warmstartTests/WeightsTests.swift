import Foundation
import Testing
import WeightFiles

@Suite("The command weights")
struct WeightsTests {
    private let folder = TemporaryFolder()
    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    private func run(_ arguments: String...) async throws -> [String: Any] {
        let outcome = try await Tool.run(["weights"] + arguments + ["--json"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    private func write(_ shapes: [String: [Int]], to name: String) throws {
        let tensors = shapes.sorted { $0.key < $1.key }.map { name, shape in
            let tensor = StoredTensor([Float](repeating: 0.5, count: shape.reduce(1, *)), shape: shape)
            return (key: name, value: PyTorchContent.tensor(tensor, storage: name))
        }
        try PyTorchFile.write(.dictionary(tensors), to: path(name))
    }

    @Test("shows, inflates and converts a 2D ResNet")
    func inflation() async throws {
        try write(
            ["conv1.weight": [4, 3, 7, 7], "layer1.0.conv1.weight": [4, 4, 1, 1], "fc.weight": [10, 4]],
            to: "resnet.pth")
        let shown = try await run("show", path("resnet.pth"), "--tensors")
        #expect(shown["layout"] as? String == "resnet-2d" && shown["tensors"] as? Int == 2)
        let skipped = try #require(shown["skipped"] as? [[String: String]])
        #expect(skipped == [["skipped": "fc.weight", "reason": "a classifier"]])
        let converted = try await run("convert", path("resnet.pth"), path("3d.safetensors"), "--inflate")
        #expect((converted["reshaped"] as? [Any])?.count == 2)
        #expect(try SafetensorsFile.read(path("3d.safetensors")).tensor("conv1.weight").shape == [4, 1, 7, 7, 7])
    }

    @Test("exports an encoder for nnssl, not for nnU-Net")
    func export() async throws {
        var shapes: [String: [Int]] = ["encoder.stem.convs.0.conv.weight": [2, 1, 3, 3, 3]]
        for stage in 0..<2 {
            for block in ["conv1", "conv2"] {
                shapes["encoder.stages.\(stage).blocks.0.\(block).conv.weight"] = [2, 2, 3, 3, 3]
            }
        }
        try write(shapes, to: "encoder.pth")
        let exported = try await run("export", path("encoder.pth"), path("nnssl.pth"), "--to", "nnssl")
        #expect(exported["weights"] as? Int == shapes.count)
        #expect(try await run("show", path("nnssl.pth"))["layout"] as? String == "nnssl")
        try await expectFailure(
            "weights", "export", path("encoder.pth"), path("nnunet.pth"), "--to", "nnunet", exits: 65, says: "decoder")
        #expect(!FileManager.default.fileExists(atPath: path("nnunet.pth")))
        try await expectFailure(
            "weights", "publish", path("encoder.pth"), "--name", "x", "--data", "d", "--use", "u", "--licence", "l",
            "--into", folder.path, exits: 65, says: "transfer card")
    }

    @Test("the suite's own weights are listed, intact, and called by name; wrong names get a hint")
    func names() async throws {
        let listed = try await run("list")
        let weights = try #require(listed["weights"] as? [[String: Any]])
        #expect(weights.map { $0["name"] as? String } == ["genesis-phantoms", "s3d-phantoms"])
        #expect(weights.allSatisfy { $0["checksum"] as? String == "ok" })
        let shown = try await run("show", "s3d-phantoms")
        #expect(shown["method"] as? String == "s3d" && shown["transferable"] as? [String] == ["encoder"])
        try await expectFailure("weights", "show", "s3d-phantom", exits: 74, says: "Did you mean s3d-phantoms?")
        try await expectFailure("weights", "show", "nowhere/x.pth", exits: 74, says: "no file nowhere/x.pth")
        try await expectFailure("weights", "show", folder.path, exits: 74, says: "weights.safetensors")
    }

    @Test("refuses a checkpoint that would run something")
    func hostile() async throws {
        let hostile = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/oracle/checkpoints/call_os_system.pth").path(percentEncoded: false)
        try await expectFailure("weights", "show", hostile, exits: 65, says: "posix.system")
    }
}
