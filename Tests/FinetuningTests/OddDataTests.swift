import Finetuning
import Foundation
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

@Suite("Odd data train to finite numbers or are refused by name")
struct OddDataTests {
    private let cpu = CPU(threads: 2)
    private static let recipe = """
        scratch: {stages: [{steps: 3, shape: poly, peak: 0.01}]}
        prediction: {mirroring: false, validation_cases: 0}
        """

    /// Changes image and labels of the first of three cases, and trains on all of them.
    private func train(
        _ name: String, image change: (inout [Float]) -> Void = { _ in },
        labels relabel: (inout [Int16]) -> Void = { _ in }
    ) throws -> [LogEntry] {
        let folder = try TemporaryFolder()
        let dataset = try Phantom.smallDataset(in: folder, cases: 3, on: cpu)
        let first = dataset.trainingCases[0]
        let image = try NIfTIFile.read(first.imagePaths[0])
        var voxels = image.voxels
        change(&voxels)
        try NIfTIFile.write(
            Volume(voxels: voxels, geometry: image.geometry, header: image.header), to: first.imagePaths[0])
        let labels = try NIfTIFile.readLabels(try #require(first.labelPath))
        var relabeled = labels.labels
        relabel(&relabeled)
        try NIfTIFile.write(
            LabelVolume(labels: relabeled, geometry: labels.geometry, header: labels.header), to: first.labelPath!)
        try AtomicFile.write(try Plan.tiny(spacingMM: [2, 2, 2]).json(), to: folder("plan.json"))
        let recipe = try RecipeDocument.parse(Self.recipe, overrides: ["plan.file=\(folder("plan.json"))"])
            .resolve(FinetuneRecipe.init(reading:))
        var progress = Training.Progress.silent
        let run = FinetuneRun(
            dataset: dataset, trainingCases: dataset.trainingCases.map(\.name), recipe: recipe, folder: folder(name),
            on: cpu)
        let model = try run.train(progress: &progress)
        let scores = try run.evaluate(model, on: [first.name])
        #expect(scores.cases.count == 1)
        return try RunLog.read("\(folder(name))/log.jsonl")
    }

    private func expectFinite(_ log: [LogEntry]) {
        let losses = log.compactMap(\.loss)
        #expect(losses.count == 3 && losses.allSatisfy(\.isFinite), "\(losses)")
    }

    @Test("a constant image", arguments: [0, 7, -1000] as [Float])
    func constant(value: Float) throws {
        expectFinite(try train("constant") { voxels in for index in voxels.indices { voxels[index] = value } })
    }

    @Test("huge intensities, and one far outlier", arguments: [1e6, 1e20, 1e29] as [Float])
    func huge(value: Float) throws {
        expectFinite(try train("huge") { voxels in for index in voxels.indices { voxels[index] *= value / 1000 } })
        expectFinite(try train("outlier") { $0[5] = value })
    }

    @Test("labels of background only")
    func background() throws {
        expectFinite(try train("background", labels: { labels in for index in labels.indices { labels[index] = 0 } }))
    }

    @Test("a structure of a single voxel, in the middle and in a corner", arguments: [0, 1])
    func singleVoxel(place: Int) throws {
        expectFinite(
            try train(
                "voxel",
                labels: { labels in
                    for index in labels.indices { labels[index] = 0 }
                    labels[place * labels.count / 2] = 1
                }))
    }

    @Test(
        "voxels that are no numbers, or no measurements, are refused with the case's name",
        arguments: [.nan, .infinity, -.infinity, 3e38, -.greatestFiniteMagnitude] as [Float])
    func notFinite(value: Float) throws {
        let error = #expect(throws: (any Error).self) { try train("broken") { $0[100] = value } }
        let text = "\(error!)"
        #expect((error as? any UserFacingError)?.exitCode == 65 && text.contains("hippocampus_0001"), "\(text)")
    }
}
