import Augmentation
import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

struct GuidanceTests {
    private let cpu = CPU(threads: 2)

    // MARK: Pseudo-labels

    /// Three voxels of two classes with probabilities (0.95, 0.05), (0.2, 0.8), (0.05, 0.95).
    private let logits: [Float] = [2.944439, 0, 0, 0, 1.386294, 2.944439]

    @Test func unsureVoxelsAreIgnored() {
        func labels(_ confidence: Double) -> PseudoLabels {
            PseudoLabels(logits: logits, voxels: 3, decision: .largest, confidence: confidence, ignored: 9)
        }
        #expect(labels(0).labels == [0, 1, 1] && labels(0.9).labels == [0, 9, 1] && labels(1.01).labels == [9, 9, 9])
        #expect(labels(0.9).sureShare == 2.0 / 3 && labels(1.01).sureShare == 0)
        #expect(abs(labels(0.9).score - (0.8 + 0.95) / 2) < 1e-6, "over what is called foreground, sure or not")
        // Of regions the least sure one counts: 1 - 0.269 for the second region of the first voxel.
        let regions = PseudoLabels(
            logits: [3, -3, -1, -3], voxels: 2, decision: .regions(writtenLabels: [1, 2]), confidence: 0.9, ignored: 9)
        #expect(regions.labels == [9, 0])
    }

    @Test func theSurestCasesAreKept() {
        func item(_ confidence: Float) -> PseudoLabels {
            PseudoLabels(
                logits: [0, log(confidence / (1 - confidence))], voxels: 1, decision: .largest, confidence: 0.6,
                ignored: 9)
        }
        let cases = [item(0.7), item(0.99), item(0.3), item(0.8), item(0.55)]
        // The third has no foreground, the last no sure voxel.
        #expect(PseudoLabels.selected(cases, keep: 0.4) == [1, 3])
        #expect(PseudoLabels.selected(cases, keep: 1) == [0, 1, 3] && PseudoLabels.selected(cases, keep: 0) == [])
    }

    // MARK: Batches

    private func cases(_ folder: TemporaryFolder) throws -> ([LabeledCase], NNUNetDataset) {
        let dataset = try Phantom.smallDataset(in: folder, cases: 4, on: cpu)
        let names = dataset.trainingCases.map(\.name)
        return (try LabeledCase.load(names, of: dataset, plan: .tiny(spacingMM: [2, 2, 2]), on: cpu), dataset)
    }

    private func unlabeled(_ item: LabeledCase) throws -> LabeledCase {
        var whole = try item.whole()
        whole.labels = nil
        return LabeledCase(name: "u-\(item.name)", source: whole, foreground: nil)
    }

    @Test func companionsFillTheSecondHalfAndChangeNothingElse() throws {
        let (all, _) = try cases(TemporaryFolder())
        let cutter = PatchCutter.segmentation(patch: 16, oversampling: .probability(0.5))
        var plain = try SegmentationBatches(of: Array(all[..<2]), cutter: cutter, batchSize: 5, seed: 3)
        let before = try plain.batch(step: 4)
        #expect(before.labeled == 5 && before.secondImages.isEmpty && before.targets.isEmpty)
        plain.companions = try all[2...].map(unlabeled)
        let after = try plain.batch(step: 4)
        let volume = 16 * 16 * 16
        #expect(after.labeled == 3 && after.images[..<(3 * volume)] == before.images[..<(3 * volume)])
        #expect(after.labels.labels[..<(3 * volume)] == before.labels.labels[..<(3 * volume)])
        #expect(
            after.cases.prefix(3) == before.cases.prefix(3)
                && after.cases.dropFirst(3).allSatisfy { $0.hasPrefix("u-") })
        #expect(after.labels.labels[(3 * volume)...].allSatisfy { $0 == -1 })
    }

    /// The second look lies where the first does: without changes of intensities they are one.
    @Test func bothLooksAreAtTheSamePlace() throws {
        let (all, _) = try cases(TemporaryFolder())
        var batches = try SegmentationBatches(
            of: all, cutter: .segmentation(patch: 16).geometryOnly, batchSize: 3, seed: 5)
        batches.looksTwice = true
        for step in 0..<4 {
            let batch = try batches.batch(step: step)
            #expect(batch.images == batch.secondImages)
        }
        batches.cutter = .segmentation(patch: 16)
        let (first, again) = (try batches.batch(step: 2), try batches.batch(step: 2))
        #expect(first.images != first.secondImages && first.secondImages == again.secondImages)
    }

    /// A map of the image's own coordinates goes where the image goes, up to 1/65535.
    @Test func teacherMapsGoWhereTheImageGoes() throws {
        let extent: Extent3 = 32
        // Probabilities of two classes; the image is the second one.
        let logits = (0..<extent.volume).map { Float($0 % 37) / 9 - 2 }
        let zeros = [Float](repeating: 0, count: extent.volume)
        let map = TeacherMap(logits: zeros + logits, extent: extent, temperature: 1, areRegions: false)
        let probabilities = Probabilities.of(zeros + logits, voxels: extent.volume, areRegions: false)
        // Boxes around the middle: no patch leaves the image.
        let middle = Int32((16 * 32 + 16) * 32 + 16)
        var item = LabeledCase(
            name: "a",
            source: Patch(
                image: Array(probabilities[extent.volume...]), channels: 1,
                labels: [Int16](repeating: 0, count: extent.volume), extent: extent),
            foreground: ForegroundVoxels(classes: [.init(label: 1, voxels: [middle])]))
        item.teacherMap = map
        let cutter = PatchCutter(
            sampling: PatchSampling(patch: 12, box: 24, oversampling: .share(1)),
            spatial: SpatialTransform(rotationProbability: 1, scalingProbability: 0.5, scaling: .uniform(0.7...1)),
            transforms: TransformList([Gamma(probability: 1), Mirroring()]))
        var batches = try SegmentationBatches(of: [item], cutter: cutter.geometryOnly, batchSize: 2, seed: 1)
        let volume = 12 * 12 * 12
        for step in 0..<5 {
            let batch = try batches.batch(step: step)
            for sample in 0..<2 {
                for voxel in 0..<volume {
                    let background = batch.targets[2 * sample * volume + voxel]
                    let second = batch.targets[(2 * sample + 1) * volume + voxel]
                    #expect(abs(background + second - 1) < 1e-5)
                    #expect(abs(second - batch.images[sample * volume + voxel]) < 1e-4)
                }
            }
        }
        // Intensities change the image, not the map.
        let targets = try batches.batch(step: 0).targets
        batches.cutter = cutter
        let changed = try batches.batch(step: 0)
        #expect(changed.targets == targets && changed.images != Array(targets[volume..<2 * volume]))
        let soft = TeacherMap(logits: zeros + logits, extent: extent, temperature: 4, areRegions: false)
        let whole = soft.patch(in: VoxelBox(whole: extent)).image
        for voxel in 0..<extent.volume {
            let expected = 1 / (1 + exp(-logits[voxel] / 4))
            #expect(abs(whole[extent.volume + voxel] - expected) < 1e-5)
        }
    }

    // MARK: Losses

    private func task(_ all: [LabeledCase], _ dataset: NNUNetDataset) throws -> SegmentationTask {
        let plan = Plan.tiny(spacingMM: [2, 2, 2])
        let unet = try UNet(NetworkPlan(plan, deepSupervision: true), on: cpu)
        Initializer.pytorchDefault.initialize(unet, seed: 1)
        return SegmentationTask(
            unet, plan: plan,
            batches: try SegmentationBatches(of: all, cutter: .plain(patch: 16), batchSize: 2, seed: 1),
            loss: DiceCrossEntropy(), steps: 10,
            validation: ValidationCases([], window: SlidingWindow(patch: 16), dataset: dataset), on: cpu)
    }

    @Test func withoutCompanionsAGuidanceOfPseudoLabelsIsThePlainTraining() throws {
        let (all, dataset) = try cases(TemporaryFolder())
        var task = try task(all, dataset)
        let plain = try task.loss(task.batches.batch(step: 3), step: 3)
        task.guidance = PseudoLabelGuidance(weight: 1)
        let guided = try task.loss(task.batches.batch(step: 3), step: 3)
        #expect(plain.total.item == guided.total.item && plain.parts == guided.parts)
        task.guidance = DistillationGuidance(share: 0, temperature: 2, areRegions: false)
        #expect(try task.loss(task.batches.batch(step: 3), step: 3).total.item == plain.total.item)
    }

    @Test func aTeacherThatIsTheStudentTeachesNothing() throws {
        let (all, dataset) = try cases(TemporaryFolder())
        var task = try task(all, dataset)
        task.guidance = MeanTeacher(
            following: task.unet, weight: 0.5, rise: 0, momentum: 0.99, areRegions: false, on: cpu)
        var batch = try task.batches.batch(step: 0)
        batch.secondImages = batch.images
        #expect(abs(try #require(try task.loss(batch, step: 0).parts["consistency"])) < 1e-9)
        batch.secondImages = batch.images.map { $0 + 1 }
        #expect(try #require(try task.loss(batch, step: 0).parts["consistency"]) > 0)
    }

    @Test func theTeacherFollowsAndIsWhatIsKept() throws {
        let (all, dataset) = try cases(TemporaryFolder())
        var task = try task(all, dataset)
        let teacher = MeanTeacher(
            following: task.unet, weight: 0.1, rise: 0.4, momentum: 0.9, areRegions: false, on: cpu)
        task.guidance = teacher
        let name = "encoder.stem.convs.0.conv.bias"
        func value(_ network: any Module) -> Float {
            network.namedParameters.first { $0.name == name }?.parameter.scalars[0] ?? .nan
        }
        let start = value(task.trained)
        let bias = try #require(task.unet.namedParameters.first { $0.name == name }).parameter
        bias.scalars = bias.scalars.map { $0 + 1 }
        try task.didUpdate(step: 0)
        #expect(abs(value(task.trained) - (start + 1)) < 1e-6, "in the first step nothing of the teacher is kept")
        bias.scalars = bias.scalars.map { $0 + 1 }
        try task.didUpdate(step: 1)
        #expect(abs(value(task.trained) - (start + 1.5)) < 1e-6, "then one half")
        bias.scalars = bias.scalars.map { $0 + 1 }
        try task.didUpdate(step: 99)
        #expect(abs(value(task.trained) - (start + 0.9 * 1.5 + 0.1 * 3)) < 1e-5)
        #expect(value(task.result) == value(task.trained) && value(task.network) != value(task.trained))
        // Its weights are part of the state.
        let other = MeanTeacher(following: task.unet, weight: 0.1, rise: 0.4, momentum: 0.9, areRegions: false, on: cpu)
        try other.restore(SafetensorsFile(tensors: task.state))
        #expect(value(try #require(other.successor)) == value(task.trained))
        // The weight rises as exp(-5 (1 - t/T)²).
        #expect(abs(teacher.weight(at: 0) - 0.1 * exp(-5)) < 1e-12 && teacher.weight(at: 0.4) == 0.1)
        #expect(abs(teacher.weight(at: 0.2) - 0.1 * exp(-1.25)) < 1e-12)
    }

    @Test func distillationWeighsLabeledAndOtherCases() throws {
        let (all, dataset) = try cases(TemporaryFolder())
        var task = try task(all, dataset)
        var batch = try task.batches.batch(step: 1)
        batch.targets = (0..<2 * 3 * 4096).map { $0 / 4096 % 3 == 0 ? 0.5 : 0.25 }
        task.guidance = DistillationGuidance(share: 0.25, temperature: 2, areRegions: false)
        let whole = try task.loss(batch, step: 1)
        batch.labeled = 1
        let half = try task.loss(batch, step: 1)
        #expect(Set(whole.parts.keys) == ["cross_entropy", "dice", "distillation"])
        #expect(half.parts.keys.contains("distillation_unlabeled"))
        // (1 - a) usual + a KL on labeled cases, KL on others, in proportion.
        let plain = try self.task(all, dataset)
        let usual = Double(try plain.loss(batch, step: 1).total.item)
        let divergence = try #require(whole.parts["distillation"])
        #expect(abs(Double(whole.total.item) - (0.75 * usual + 0.25 * divergence)) < 1e-4)
        let (own, other) = (
            try #require(half.parts["distillation"]), try #require(half.parts["distillation_unlabeled"])
        )
        #expect(abs((own + other) / 2 - divergence) < 1e-4, "the mean over voxels of both")
    }
}
