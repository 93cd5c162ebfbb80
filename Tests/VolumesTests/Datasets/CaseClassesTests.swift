import Foundation
import Testing
import Volumes

final class CaseClassesTests {
    private let path = NSTemporaryDirectory() + "warmstart-classes-\(UUID().uuidString)"
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Three cases, of files that are never opened, without labels of voxels.
    private func dataset(_ table: String?) throws -> NNUNetDataset {
        try FileManager.default.createDirectory(atPath: "\(path)/imagesTr", withIntermediateDirectories: true)
        for name in ["a", "b", "c"] { try Data().write(to: URL(filePath: "\(path)/imagesTr/\(name)_0000.nii.gz")) }
        try Data(#"{"channel_names": {"0": "CT"}}"#.utf8).write(to: URL(filePath: "\(path)/dataset.json"))
        if let table { try Data(table.utf8).write(to: URL(filePath: "\(path)/classes.csv")) }
        return try NNUNetDataset(classifying: path)
    }

    @Test func classesAreSortedByName() throws {
        let dataset = try dataset("case,class\nc,malignant\na, benign\n\nb,malignant\n")
        #expect(dataset.classes.map(\.name) == ["benign", "malignant"] && dataset.classes.map(\.label) == [0, 1])
        #expect(dataset.classOfCase == ["a": 0, "b": 1, "c": 1] && dataset.outputChannels == 2)
        #expect(dataset.trainingCases.map(\.name) == ["a", "b", "c"] && dataset.channelNames == ["CT"])
        #expect(dataset.classesPath == "\(path)/classes.csv")
    }

    @Test func numbersAreSortedBySize() throws {
        let dataset = try dataset("case,class\r\na,10\r\nb,9\r\nc,9\r\n")
        #expect(dataset.classes.map(\.name) == ["9", "10"] && dataset.classOfCase == ["a": 1, "b": 0, "c": 0])
    }

    @Test func aByteOrderMarkAndNumbersOfOneSizeAreNoTrouble() throws {
        let dataset = try dataset("\u{FEFF}case,class\r\na,1\r\nb,01\r\nc,001\r\n")
        #expect(dataset.classes.map(\.name) == ["001", "01", "1"])
    }

    @Test(
        "a table that is missing, or does not fit the images, is an error that names the line or the case",
        arguments: [
            (nil, "cannot be read"), ("a,benign\n", "first line"), ("case,class\na,x,y\nb,x\nc,z", "line 2"),
            ("case,class\na,x\nb,\nc,z", "line 3"), ("case,class\na,x\nb,y\nc,y\nd,y", "line 5 names d"),
            ("case,class\na,x\nb,y\na,y\nc,x", "line 4 names a a second time"),
            ("case,class\na,x\nc,y", "case b has no line"), ("case,class\na,x\nb,x\nc,x", "class x"),
        ] as [(String?, String)])
    func malformed(table: String?, words: String) throws {
        let error = #expect(throws: DatasetError.self) { _ = try dataset(table) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}
