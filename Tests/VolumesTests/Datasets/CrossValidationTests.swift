import Foundation
import Tensors
import Testing
import Volumes

final class CrossValidationTests {
    private let path = NSTemporaryDirectory() + "warmstart-folds-\(UUID().uuidString)"
    deinit { try? FileManager.default.removeItem(atPath: path) }
    private func folder(_ name: String) -> String { "\(path)/\(name)" }

    /// Files that are never opened.
    private func dataset(_ count: Int, splits: String? = nil) throws -> NNUNetDataset {
        for part in ["imagesTr", "labelsTr"] {
            try FileManager.default.createDirectory(atPath: folder(part), withIntermediateDirectories: true)
        }
        for index in 0..<count {
            let name = String(format: "c%03d", index)
            for path in ["imagesTr/\(name)_0000.nii.gz", "labelsTr/\(name).nii.gz"] {
                try Data().write(to: URL(filePath: folder(path)))
            }
        }
        let description =
            #"{"channel_names": {"0": "T1"}, "labels": {"background": 0, "a": 1}, "file_ending": ".nii.gz"}"#
        try Data(description.utf8).write(to: URL(filePath: folder("dataset.json")))
        if let splits { try Data(splits.utf8).write(to: URL(filePath: folder("splits_final.json"))) }
        return try NNUNetDataset(path: path)
    }

    /// `numpy.random.RandomState(12345).shuffle(arange(n))`, cut as scikit-learn's KFold does.
    @Test(arguments: [
        (7, [[3, 6], [0, 4], [1], [5], [2]]), (12, [[0, 3, 8], [7, 10, 11], [6, 9], [1, 4], [2, 5]]),
    ])
    func dealsAsNNUNetDoes(count: Int, expected: [[Int]]) throws {
        let folds = try dataset(count).crossValidation()
        #expect(folds.map(\.validation) == expected.map { $0.map { String(format: "c%03d", $0) } })
        for fold in folds {
            #expect(Set(fold.training).isDisjoint(with: fold.validation))
            #expect(fold.training.count + fold.validation.count == count && fold.training == fold.training.sorted())
        }
    }

    @Test func dealsManyAsNNUNetDoes() throws {
        let folds = try dataset(260).crossValidation()
        #expect(
            folds.map { $0.validation.reduce(0) { $0 + (Int($1.dropFirst()) ?? 0) } } == [6744, 6892, 6615, 6587, 6832])
        #expect(folds[4].validation.prefix(5) == ["c005", "c007", "c011", "c023", "c029"])
    }

    @Test func storedFoldsAreTaken() throws {
        let splits = #"[{"train": ["c002", "c000"], "val": ["c001"]}, {"train": ["c001"], "val": ["c002"]}]"#
        let folds = try dataset(3, splits: splits).crossValidation()
        #expect(
            folds.map(\.training) == [["c000", "c002"], ["c001"]] && folds.map(\.validation) == [["c001"], ["c002"]])
    }

    @Test(
        "stored folds that make no sense are refused with the fold",
        arguments: [
            (#"[{"train": ["c000"], "val": ["c009"]}]"#, "fold 0 names c009"),
            (#"[{"train": ["c000"], "val": ["c000"]}]"#, "trains and validates on c000"),
            (#"[{"train": ["c000"], "val": []}]"#, "empty"), (#"{"train": []}"#, "list of folds"),
            ("[", "list of folds"),
        ])
    func mistakes(splits: String, words: String) throws {
        let dataset = try dataset(3, splits: splits)
        let error = #expect(throws: DatasetError.self) { _ = try dataset.crossValidation() }
        #expect(error?.description.contains(words) == true && error?.exitCode == 65)
    }

    @Test func oneCaseHasNoFiveFolds() throws {
        let dataset = try dataset(1)
        let error = #expect(throws: DatasetError.self) { _ = try dataset.crossValidation() }
        #expect(error?.description.contains("--fold all") == true)
    }
}
