import Augmentation
import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Training
import Volumes

struct SegmentationTaskTests {
    private let cpu = CPU(threads: 2)

    private func cases(_ folder: TemporaryFolder, _ count: Int = 2) throws -> ([LabeledCase], NNUNetDataset) {
        let dataset = try Phantom.smallDataset(in: folder, cases: count, on: cpu)
        let names = dataset.trainingCases.map(\.name)
        return (try LabeledCase.load(names, of: dataset, plan: .tiny(spacingMM: [2, 2, 2]), on: cpu), dataset)
    }

    private func batches(_ cases: [LabeledCase], seed: UInt64 = 0) throws -> SegmentationBatches {
        try SegmentationBatches(of: cases, cutter: .segmentation(patch: 16), batchSize: 2, seed: seed)
    }

    @Test func batchesAreFunctionsOfTheStep() throws {
        let (cases, _) = try cases(TemporaryFolder())
        let (first, second) = (try batches(cases), try batches(cases))
        let ahead = try (0..<4).map(first.batch(step:))
        for step in [3, 1] {
            let again = try second.batch(step: step)
            #expect(again.images == ahead[step].images && again.labels == ahead[step].labels)
        }
        #expect(ahead[0].images != ahead[1].images)
        #expect(try batches(cases, seed: 1).batch(step: 0).images != ahead[0].images)
        #expect(ahead.allSatisfy { $0.labels.labels.allSatisfy { (0...2).contains($0) } }, "outside is background")
        #expect(ahead.allSatisfy { $0.cases.allSatisfy(["hippocampus_0001", "hippocampus_0002"].contains) })
        // The second of two patches lies around foreground.
        #expect(ahead.allSatisfy { $0.labels.labels.suffix(4096).contains { $0 > 0 } })
    }

    @Test func noCasesAreAnError() {
        #expect(throws: SegmentationError.noTrainingCases) { try batches([]) }
    }

    @Test func aStoreGivesTheSameBatchesAsMemory() throws {
        let folder = try TemporaryFolder()
        let (inMemory, dataset) = try cases(folder)
        let store = try StoreBuilder(plan: .tiny(spacingMM: [2, 2, 2]), dataset: dataset).build(
            dataset.trainingCases, at: folder("store"), on: cpu)
        let stored = try inMemory.map { try LabeledCase($0.name, in: store) }
        let (first, second) = (try batches(inMemory).batch(step: 2), try batches(stored).batch(step: 2))
        #expect(first.images == second.images && first.labels == second.labels)
    }

    @Test func labelsThatTheDatasetDoesNotDefineNameTheCase() throws {
        let folder = try TemporaryFolder()
        let dataset = try Phantom.smallDataset(in: folder, cases: 2, on: cpu)
        let path = folder("data/labelsTr/hippocampus_0002.nii.gz")
        var labels = try NIfTIFile.readLabels(path)
        labels.labels[5] = 9
        try NIfTIFile.write(labels, to: path)
        let error = #expect(throws: DatasetError.self) {
            _ = try LabeledCase.load(
                dataset.trainingCases.map(\.name), of: dataset, plan: .tiny(), on: cpu)
        }
        #expect(error?.description.contains("hippocampus_0002") == true)
        #expect(throws: SegmentationError.unknownCase("nobody", dataset: dataset.path)) {
            _ = try LabeledCase.load(["nobody"], of: dataset, plan: .tiny(), on: cpu)
        }
    }

    @Test func trainingLowersTheLossAndFindsTheStructures() throws {
        let (cases, dataset) = try cases(TemporaryFolder())
        let plan = Plan.tiny(spacingMM: [2, 2, 2])
        let unet = try UNet(NetworkPlan(plan, deepSupervision: true), on: cpu)
        Initializer.he.initialize(unet, seed: 1)
        var window = SlidingWindow(patch: 16)
        window.mirroredAxes = []
        let task = SegmentationTask(
            unet, plan: plan,
            batches: try SegmentationBatches(of: cases, cutter: .plain(patch: 16), batchSize: 2, seed: 1),
            loss: DiceCrossEntropy(), steps: 120,
            validation: ValidationCases(cases, window: window, dataset: dataset), on: cpu)
        var optimizer = Optimizer(SGD(momentum: 0.9))
        let before = try task.validate(step: 0)
        for step in 0..<120 {
            let loss = try task.loss(task.batches.batch(step: step), step: step)
            #expect(Set(loss.parts.keys) == ["cross_entropy", "dice"] && loss.cases.count == 2)
            optimizer.step(unet.namedParameters, gradients: loss.total.backward(), learningRate: 0.05)
        }
        let after = try task.validate(step: 120)
        #expect(Set(after.keys) == ["dice", "dice anterior", "dice posterior"])
        #expect(try #require(after["dice"]) > 0.4 && after["dice"]! > before["dice"] ?? 0, "\(before) \(after)")
        let previews = try task.previews(step: 120)
        #expect(previews.count == 2 && previews[0].images.count == 3 && previews[0].images[0].width == 16)
        #expect(previews[0].images[0] != previews[0].images[1], "the reference is tinted")
    }
}
