import Evaluation
import Experiments
import Foundation
import Tensors
import Testing
import Volumes

@Suite("Transfer to another dataset")
struct TransferTests {
    private let folder = TemporaryFolder()
    private let target = TransferTarget(name: "centre B", dataset: "Other", cases: ["c00", "c05", "x"], digest: "b")

    private func run(
        _ comparison: Comparison, _ runner: FakeRunner, in other: TemporaryFolder? = nil, reusing: [String] = []
    ) throws -> ComparisonResults {
        var run = ComparisonRun(comparison, folder: (other ?? folder).path)
        run.bootstrap.repetitions = 200
        run.reused = reusing
        return try run.run(with: runner, resume: true)
    }

    /// On the same cases with the same scores, the same statistics come out as for the comparison's own test cases.
    @Test("has the statistics of the comparison's own cases")
    func statistics() throws {
        let same = TransferTarget(name: "same", dataset: "Other", cases: ["c00", "c05"])
        let results = try run(try Comparison.small(transfer: [same]), FakeRunner())
        let transfer = try #require(results.transfers.first)
        #expect(transfer.finishedCells == 8)
        #expect(transfer.groups.map(\.dice) == results.groups.map(\.dice))
        #expect(transfer.groups.map(\.interval) == results.groups.map(\.interval))
        #expect(transfer.differences.map(\.difference) == results.differences.map(\.difference))
        #expect(transfer.differences.map(\.interval) == results.differences.map(\.interval))
        #expect(transfer.overall.map(\.signFlipP) == results.overall.map(\.signFlipP))
        #expect(transfer.verdicts[0].sentence.hasPrefix("Undecided whether S3D helped on same: over all"))
        let page = try String(contentsOfFile: "\(folder.path)/index.html", encoding: .utf8)
        #expect(page.contains("<h2>Transfer to same</h2>") && page.contains("Undecided whether S3D helped on same<"))
        #expect(results.text.contains("On same, without training there:"))
    }

    @Test("every network is tested once, whatever interrupts it", arguments: [1, 2, 5, 15])
    func resumes(stopsAfter: Int) throws {
        let comparison = try Comparison.small(transfer: [target])
        let undisturbed = TemporaryFolder()
        _ = try run(comparison, FakeRunner(), in: undisturbed)
        let (first, second) = (FakeRunner(stopsAfter: stopsAfter), FakeRunner())
        #expect(throws: FakeRunner.Interrupted.self) { try run(comparison, first) }
        _ = try run(comparison, second)
        #expect(first.ran + second.ran == comparison.cells.map(\.key))
        #expect(first.tested + second.tested == comparison.cells.map { "\($0.key.id) on centre B" })
        for file in ["comparison.json", "index.html", "cells/n4-fold0-seed2-S3D/transfer/centre_B/scores.json"] {
            let texts = try [folder, undisturbed].map {
                try String(contentsOfFile: "\($0.path)/\(file)", encoding: .utf8)
            }
            #expect(texts[0] == texts[1])
        }
    }

    @Test("a dataset may be added to a finished comparison: nothing is trained again")
    func added() throws {
        _ = try run(try Comparison.small(), FakeRunner())
        let runner = FakeRunner()
        let results = try run(try Comparison.small(transfer: [target]), runner)
        #expect(runner.ran.isEmpty && runner.tested.count == 8)
        #expect(results.transfers[0].groups.allSatisfy { $0.cases == 3 })
        // Another content is another dataset.
        var changed = target
        changed.digest = "c"
        let error = #expect(throws: ComparisonError.self) {
            try run(try Comparison.small(transfer: [changed]), FakeRunner())
        }
        #expect(error?.description.contains("content of the dataset differs") == true)
    }

    @Test("is reused where network and dataset are equal, whatever they are called")
    func reused() throws {
        let other = TemporaryFolder()
        _ = try run(try Comparison.small(transfer: [target]), FakeRunner(), in: other)
        var (renamed, changed) = (target, target)
        renamed.name = "B"
        (changed.name, changed.digest) = ("C", "c")
        let runner = FakeRunner()
        let results = try run(try Comparison.small(transfer: [renamed, changed]), runner, reusing: [other.path])
        #expect(runner.ran.isEmpty && runner.tested.count == 8 && runner.tested.allSatisfy { $0.hasSuffix("on C") })
        #expect(results.transfers[0].groups.map(\.dice) == results.transfers[1].groups.map(\.dice))
    }

    /// What a comparison takes from another one can be tested on further datasets, too.
    @Test("networks are reused along with their results")
    func reusedNetworks() throws {
        let other = TemporaryFolder()
        let comparison = try Comparison.small()
        _ = try run(comparison, FakeRunner(), in: other)
        let place = "cells/\(comparison.cells[0].key.id)/run"
        try FileManager.default.createDirectory(
            atPath: "\(other.path)/\(place)", withIntermediateDirectories: true)
        let names = ["weights.safetensors", "model.json"]
        for name in names { try Data(name.utf8).write(to: URL(filePath: "\(other.path)/\(place)/\(name)")) }
        _ = try run(comparison, FakeRunner(), reusing: [other.path])
        for name in names {
            #expect(try Data(contentsOf: URL(filePath: "\(folder.path)/\(place)/\(name)")) == Data(name.utf8))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/\(place)").count == names.count)
    }

    @Test("a start that was trained on the other dataset's cases is refused", arguments: [true, false])
    func informedStart(isSameDataset: Bool) throws {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try SetupFile(dataset: isSameDataset ? "Dataset7" : "d", trainingCases: ["x"]).write(toRun: folder.path)
        let comparison = try Comparison.small(
            initializations: [.scratch, Initialization(name: "tuned", weights: "\(folder.path)/weights.safetensors")],
            transfer: [TransferTarget(name: "B", dataset: "Other", folder: "Dataset7", cases: ["x"])])
        if isSameDataset {
            let error = #expect(throws: ComparisonError.self) { try comparison.checkHeldOut() }
            #expect(error?.description.contains("x of B") == true)
        } else {
            try comparison.checkHeldOut()
        }
    }

    @Test("names must be able to name folders, and differ")
    func names() throws {
        var odd = target
        odd.name = "../x"
        #expect(throws: ComparisonError.unusableName("../x")) { try Comparison.small(transfer: [odd]) }
        #expect(throws: ComparisonError.repeated("other dataset", "centre_B")) {
            try Comparison.small(transfer: [target, target])
        }
        odd = TransferTarget(name: "B", dataset: "b", cases: [])
        #expect(throws: ComparisonError.nothing("labeled cases of B")) { try Comparison.small(transfer: [odd]) }
    }

    @Test("other classes and the same images are refused")
    func datasets() throws {
        let cpu = CPU(threads: 2)
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        func dataset(_ name: String, seed: UInt64, kind: Phantom.Kind = .hippocampus) throws -> NNUNetDataset {
            try Phantom(kind).writeDataset(to: "\(folder.path)/\(name)", name: name, cases: 6, seed: seed, on: cpu)
            return try NNUNetDataset(path: "\(folder.path)/\(name)")
        }
        let own = try dataset("own", seed: 1)
        func comparison(_ other: NNUNetDataset) throws -> Comparison {
            try Comparison(
                own, initializations: [.scratch], recipe: Self.recipe(), transfer: [("other", other)], on: cpu)
        }
        let fine = try comparison(try dataset("other", seed: 2))
        #expect(
            fine.transfer[0].cases.count == 6 && fine.transfer[0].digest != nil && fine.transfer[0].dataset == "other")
        let error = #expect(throws: ComparisonError.self) { try comparison(try dataset("copy", seed: 1)) }
        #expect(error?.exitCode == 65 && error?.description.contains("is also case") == true)
        let organs = #expect(throws: ComparisonError.self) {
            try comparison(try dataset("organs", seed: 1, kind: .organs))
        }
        #expect(organs == .otherTask(target: "other", difference: "classes"))
    }

    @Test("an initialization knows the content of its teachers and of the run that finds regions")
    func models() throws {
        let cpu = CPU(threads: 1)
        let files = FileManager.default
        try files.createDirectory(atPath: "\(folder.path)/teacher", withIntermediateDirectories: true)
        try Phantom(.hippocampus).writeDataset(to: "\(folder.path)/own", name: "own", cases: 6, seed: 1, on: cpu)
        let own = try NNUNetDataset(path: "\(folder.path)/own")
        func models(_ settings: [String]) throws -> String? {
            try Comparison(own, initializations: [.scratch], recipe: Self.recipe(settings), on: cpu)
                .initializations[0].models
        }
        let taught = ["teacher.kind=distillation", "teacher.runs=[\(folder.path)/teacher]"]
        #expect(try models([]) == nil)
        #expect(try models(taught) == nil)
        let weights = URL(filePath: "\(folder.path)/teacher/weights.safetensors")
        try Data("first".utf8).write(to: weights)
        let first = try models(taught)
        #expect(try first != nil && models(taught) == first)
        try Data("second".utf8).write(to: weights)
        #expect(try models(taught) != first)
    }

    @Test("channels in another order are refused, other names are not")
    func channels() throws {
        let cpu = CPU(threads: 1)
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        func dataset(_ name: String, seed: UInt64, _ channels: [String]) throws -> NNUNetDataset {
            let path = "\(folder.path)/\(name)"
            try Phantom(.hippocampus).writeDataset(to: path, name: name, cases: 6, seed: seed, on: cpu)
            for item in try NNUNetDataset(path: path).trainingCases {
                try FileManager.default.copyItem(
                    atPath: item.imagePaths[0], toPath: item.imagePaths[0].replacing("_0000.", with: "_0001."))
            }
            let description = URL(filePath: "\(path)/dataset.json")
            var keys = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: description)) as? [String: Any])
            keys["channel_names"] = ["0": channels[0], "1": channels[1]]
            try JSONSerialization.data(withJSONObject: keys).write(to: description)
            return try NNUNetDataset(path: path)
        }
        let own = try dataset("own", seed: 1, ["T1", "T2"])
        func comparison(_ other: NNUNetDataset) throws -> Comparison {
            try Comparison(
                own, initializations: [.scratch], recipe: Self.recipe(), transfer: [("other", other)], on: cpu)
        }
        _ = try comparison(try dataset("renamed", seed: 2, ["MPRAGE", "TSE"]))
        #expect(throws: ComparisonError.otherTask(target: "other", difference: "order of channels")) {
            try comparison(try dataset("turned", seed: 3, ["T2", "T1"]))
        }
    }

    private static func recipe(_ settings: [String] = []) throws -> ComparisonRecipe {
        try ComparisonRecipe.load(
            URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "Finetune/compare-transfer-cpu.yaml").path, overrides: settings)
    }
}
