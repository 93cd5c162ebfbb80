import Foundation
import Testing
import WeightFiles

struct PyTorchReadingTests {
    @Test("every container of the format gives the same content", arguments: PyTorchFixtures.names)
    func containers(name: String) throws {
        let file = try PyTorchFile.read(PyTorchFixtures.path(name))
        #expect(
            file.tensors == [
                "x": StoredTensor([0, 1, 2, 3, 4, 5] as [Float], shape: [2, 3]),
                "columns": StoredTensor([0, 3, 1, 4, 2, 5] as [Float], shape: [3, 2]),
            ])
        #expect(file.scalars == ["steps": .integer(7)])
    }

    @Test("a file cut anywhere is refused", arguments: PyTorchFixtures.names)
    func truncation(name: String) throws {
        let content = try Data(contentsOf: URL(filePath: PyTorchFixtures.path(name)))
        for count in Array(stride(from: 0, to: content.count, by: 11)) + Array(content.count - 25..<content.count) {
            #expect(throws: PyTorchError.self, "\(count) bytes") {
                try PyTorchFile(parsing: content.prefix(count), from: name)
            }
        }
    }

    /// Bytes that begin elsewhere than at 0, as slices do.
    @Test(arguments: PyTorchFixtures.names)
    func slicesAreReadLikeWholes(name: String) throws {
        let content = try Data(contentsOf: URL(filePath: PyTorchFixtures.path(name)))
        let slice = (Data(count: 13) + content).dropFirst(13)
        let whole = try PyTorchFile(parsing: content, from: name)
        #expect(try PyTorchFile(parsing: slice, from: name) == whole)
    }

    @Test(
        "what is no checkpoint is named",
        arguments: [
            ("", "empty"), ("version https://git-lfs.github.com/spec/v1\noid sha256:0", "git-lfs"),
            ("<!DOCTYPE html>", "web page"), ("weights", "torch.save"),
        ])
    func notACheckpoint(content: String, says: String) {
        let error = #expect(throws: PyTorchError.self) {
            try PyTorchFile(parsing: Data(content.utf8), from: "weights.pth")
        }
        #expect(error?.kind == .notACheckpoint)
        #expect(error?.description.contains("weights.pth") == true && error?.description.contains(says) == true)
    }

    @Test func aMissingFileIsNoBadData() {
        #expect(throws: FileError.self) { try PyTorchFile.read("/nowhere/weights.pth") }
    }
}
