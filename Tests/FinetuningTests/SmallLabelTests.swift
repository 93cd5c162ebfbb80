import Finetuning
import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

/// Pseudo-labels, mean teacher and distillation, from recipe to weights.
struct SmallLabelTests {
    private let cpu = CPU(threads: 2)
    private static let rest = "data.unlabeled=rest-of-dataset"

    private func bench() throws -> RunBench {
        let bench = try RunBench(cpu, cases: 6)
        _ = try bench.train(bench.run("teacher", weights: nil))
        return bench
    }

    private func teacher(_ bench: RunBench, _ kind: String, _ more: String = "") -> String {
        let runs = kind == "mean_teacher" ? "" : ", runs: [\(bench.folder("teacher"))]"
        return "teacher={kind: \(kind)\(runs)\(more)}"
    }

    @Test(
        "every kind trains, differs from the plain training, and resumes to the bit",
        arguments: ["pseudo_labels", "mean_teacher", "distillation"], [true, false])
    func kinds(kind: String, hasImages: Bool) throws {
        guard hasImages || kind != "pseudo_labels" else { return }
        let bench = try bench()
        // Nothing is sure after three steps: any confidence will do.
        let switches =
            [teacher(bench, kind, kind == "pseudo_labels" ? ", confidence: 0, first: 1" : "")]
            + (hasImages ? [Self.rest] : [])
        var remarks: [String] = []
        let model = try bench.train(bench.run("whole", weights: nil, overrides: switches)) { remarks = $0.remarks }
        #expect(!remarks.isEmpty, "it tells what it learned from")
        #expect(try bench.weightBytes("whole") != bench.weightBytes("teacher"))
        let log = try RunLog.read(bench.folder("whole/log.jsonl"))
        let term = ["pseudo_labels": "pseudo_labels", "mean_teacher": "consistency", "distillation": "distillation"][
            kind]
        let found = log.filter { $0.loss != nil }.allSatisfy { $0.parts?[term ?? ""]?.isFinite == true }
        #expect(found || kind == "pseudo_labels" && remarks[0].contains(": 0 of"))
        let cut = try bench.run("cut", weights: nil, overrides: switches)
        #expect(throws: TrainingInterrupted.self) { _ = try bench.train(cut, interruptAfter: 2) }
        _ = try bench.train(cut, .resuming)
        #expect(try bench.weightBytes("whole") == bench.weightBytes("cut"))
        // What is returned is what is saved.
        let image = try bench.dataset.readImage(bench.dataset.trainingCases[5])
        let saved = try Ensemble(ofRuns: [bench.folder("whole")], on: cpu).segment(image).labels
        #expect(try Ensemble([model], on: cpu).segment(image).labels == saved)
    }

    @Test func aConfidenceAboveOneIsThePlainTraining() throws {
        let bench = try bench()
        let switches = [teacher(bench, "pseudo_labels", ", confidence: 1.01"), Self.rest]
        var remarks: [String] = []
        _ = try bench.train(bench.run("none", weights: nil, overrides: switches)) { remarks = $0.remarks }
        #expect(remarks == ["pseudo-labels: 0 of 3 images, 0.0 % of their voxels"])
        let tensors = try ["teacher", "none"].map {
            try SafetensorsFile.read(bench.folder("\($0)/weights.safetensors")).tensors
        }
        #expect(tensors[0] == tensors[1])
    }

    @Test func aShareOfZeroIsThePlainTraining() throws {
        let bench = try bench()
        _ = try bench.train(
            bench.run("none", weights: nil, overrides: [teacher(bench, "distillation", ", share: 0")]))
        let tensors = try ["teacher", "none"].map {
            try SafetensorsFile.read(bench.folder("\($0)/weights.safetensors")).tensors
        }
        #expect(tensors[0] == tensors[1])
    }

    @Test("a student of another network and patch learns")
    func smallStudent() throws {
        let bench = try bench()
        var plan = Plan.tiny(spacingMM: [2, 2, 2])
        (plan.network.features, plan.patch) = ([2, 4], Extent3(depth: 8, height: 16, width: 8))
        try AtomicFile.write(try plan.json(), to: bench.folder("small.json"))
        let switches = ["plan.file=\(bench.folder("small.json"))", teacher(bench, "distillation")]
        var remarks: [String] = []
        let model = try bench.train(bench.run("student", weights: nil, overrides: switches)) { remarks = $0.remarks }
        #expect(remarks[0].contains("of 1 teachers into \(model.network.parameterCount)"))
    }

    @Test func imagesOfHiddenCasesAreRefusedByNameAndByContent() throws {
        let bench = try bench()
        let names = bench.dataset.trainingCases.map(\.name)
        try FileManager.default.createDirectory(atPath: bench.folder("pool"), withIntermediateDirectories: true)
        func pool(_ file: String, like name: String, add: Float = 0) throws {
            var image = try NIfTIFile.read(bench.folder("data/imagesTr/\(name)_0000.nii.gz"))
            image.voxels = image.voxels.map { $0 + add }
            // Not compressed: other bytes, the same voxels.
            try NIfTIFile.write(image, to: bench.folder("pool/\(file)"))
        }
        func run(_ folder: String) throws -> FinetuneRun {
            var run = try bench.run(
                folder, weights: nil,
                overrides: ["teacher.kind=mean_teacher", "data.unlabeled=\(bench.folder("pool"))"])
            run.heldOutCases = [names[5]]
            return run
        }
        try pool("new_0000.nii", like: names[4], add: 3)
        _ = try bench.train(run("fine"))
        for (file, like, add) in [
            ("innocent_0000.nii", names[5], Float(0)), ("validation_0000.nii", names[2], 0),
            ("\(names[5])_0000.nii", names[5], 7),
        ] {
            try pool(file, like: like, add: add)
            let error = #expect(throws: FinetuneError.self) { _ = try bench.train(run("leak")) }
            #expect(error?.description.contains(like) == true && error?.description.contains(file) == true)
            #expect(error?.exitCode == 65 && !FileManager.default.fileExists(atPath: bench.folder("leak")))
            try FileManager.default.removeItem(atPath: bench.folder("pool/\(file)"))
        }
        // The rest of the dataset has none of them.
        var rest = try bench.run("rest", weights: nil, overrides: ["teacher.kind=mean_teacher", Self.rest])
        rest.heldOutCases = [names[5]]
        _ = try bench.train(rest)
        #expect(try FinetuneSetup(ofRun: bench.folder("rest"))?.unlabeled == [names[3], names[4]])
    }

    @Test func teachersThatKnowTooMuchOrOtherThingsAreRefused() throws {
        let bench = try bench()
        var informed = try bench.run("informed", weights: nil, overrides: [teacher(bench, "distillation")])
        informed.heldOutCases = [bench.dataset.trainingCases[0].name]
        informed.trainingCases = [bench.dataset.trainingCases[1].name]
        var single = Plan.tiny(spacingMM: [2, 2, 2])
        single.batch = 1
        try AtomicFile.write(try single.json(), to: bench.folder("single.json"))
        try AtomicFile.write(try Plan.tiny(spacingMM: [1, 1, 1]).json(), to: bench.folder("fine.json"))
        for (run, words) in [
            (informed, "was trained on case"),
            (try bench.run("x", weights: nil, overrides: ["teacher.kind=distillation"]), "teacher.runs names no run"),
            (
                try bench.run("x", weights: nil, overrides: [teacher(bench, "pseudo_labels")]),
                "pseudo-labels need images"
            ),
            (
                try bench.run(
                    "x", weights: nil,
                    overrides: [
                        "plan.file=\(bench.folder("single.json"))", "teacher.kind=mean_teacher", Self.rest,
                    ]), "plan.batch is 1"
            ),
            (
                try bench.run(
                    "x", weights: nil,
                    overrides: ["plan.file=\(bench.folder("fine.json"))", teacher(bench, "distillation")]),
                "preprocessing differ"
            ),
        ] {
            let error = #expect(throws: FinetuneError.self) { _ = try bench.train(run) }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
            #expect(!FileManager.default.fileExists(atPath: run.folder), "nothing is left behind")
        }
        let mixed = #expect(throws: RecipeError.self) {
            _ = try bench.run("x", weights: nil, overrides: ["teacher.kind=mean_teacher", "patches.carve_mix=0.5"])
        }
        #expect(mixed?.description.contains("carve_mix") == true)
    }
}
