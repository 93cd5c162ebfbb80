import Foundation
import Segmentation
import Tensors
import Testing

/// What every loss keeps, and what relates them to each other.
struct LossSwitchTests {
    private let cpu = CPU(threads: 2)
    private static let extent = Extent3(depth: 5, height: 6, width: 7)
    private static let shape = Shape(samples: 2, extent: extent, channels: 3)
    /// A block of class 1 and one of class 2 in each sample.
    private static let labels = LabelMap(
        samples: 2, extent: extent,
        labels: (0..<2).flatMap { sample in
            (0..<extent.volume).map { voxel -> Int32 in
                let (d, h, w) = (voxel / 42, voxel / 7 % 6, voxel % 7)
                if (1...3).contains(d) && (1...4).contains(h) && (1 + sample...3).contains(w) { return 1 }
                return d < 3 && h > 2 && w > 4 ? 2 : 0
            }
        })

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// Makes the loss for an ignored label.
        let loss: @Sendable (Int32?) -> any SegmentationLoss
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "dice_ce") {
            var loss = DiceCrossEntropy()
            loss.ignoredLabel = $0
            return loss
        },
        Case(name: "ce") { CrossEntropyLoss(classWeights: [0.2, 0.8, 0.8], ignoredLabel: $0) },
        Case(name: "dice") {
            var loss = DiceLoss()
            (loss.includeBackground, loss.ignoredLabel) = (true, $0)
            return loss
        },
        Case(name: "focal") {
            var loss = FocalLoss()
            loss.ignoredLabel = $0
            return loss
        },
        Case(name: "tversky") {
            var loss = TverskyLoss()
            loss.ignoredLabel = $0
            return loss
        },
        Case(name: "top_k") { HardVoxelLoss(.percent(25), ignoredLabel: $0) },
        Case(name: "ohem") { HardVoxelLoss(.uncertain(below: 0.5, atLeast: 5), ignoredLabel: $0) },
        Case(name: "perimeter") { PerimeterLoss(ignoredLabel: $0) },
        Case(name: "boundary") { BoundaryLoss(spacing: [3, 1, 1], ignoredLabel: $0) },
        Case(name: "hausdorff_dt") { HausdorffDistanceLoss(spacing: [3, 1, 1], ignoredLabel: $0) },
        Case(name: "hausdorff_er") { HausdorffErosionLoss(ignoredLabel: $0) },
        Case(name: "region_focal") {
            var loss = RegionFocalLoss()
            loss.ignoredLabel = $0
            return loss
        },
        Case(name: "compound") {
            CompoundLoss([.init(CrossEntropyLoss(ignoredLabel: $0), weight: 0.5), .init(DiceLoss(), weight: 0)])
        },
    ]

    private func random(_ seed: UInt64, deviation: Double = 1) -> [Float] {
        var draws = Draws(seed: seed, purpose: "test")
        return (0..<Self.shape.count).map { _ in Float(deviation * draws.normal()) }
    }

    /// Logits that put all probability on the labels.
    private var certain: [Float] {
        Self.labels.labels.flatMap { label in (0..<3).map { $0 == Int(label) ? 60 : -60 } }
    }

    private func tensor(_ scalars: [Float]) -> Tensor { Tensor(scalars, shape: Self.shape, on: cpu) }

    @Test("the labels themselves are the best prediction", arguments: cases)
    func perfection(test: Case) {
        let loss = test.loss(nil)
        let best = loss(tensor(certain), labels: Self.labels).item
        for seed in 0..<3 { #expect(loss(tensor(random(UInt64(seed), deviation: 4)), labels: Self.labels).item > best) }
    }

    @Test("a step along the negative gradient lowers the loss", arguments: cases)
    func descent(test: Case) throws {
        let loss = test.loss(nil)
        let logits = tensor(random(5, deviation: 4)).tracked()
        let before = loss(logits, labels: Self.labels)
        let gradient = try #require(before.backward()[logits]).scalars
        let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(norm > 0 && norm.isFinite)
        let moved = zip(logits.scalars, gradient).map { $0 - 0.05 / norm * $1 }
        #expect(loss(tensor(moved), labels: Self.labels).item < before.item)
    }

    @Test("ignored voxels change neither the loss nor its gradient", arguments: cases)
    func ignoring(test: Case) throws {
        let loss = test.loss(9)
        let hidden = LabelMap(
            samples: 2, extent: Self.extent,
            labels: Self.labels.labels.enumerated().map { $0.offset % 3 == 0 ? 9 : $0.element })
        func run(_ seed: UInt64) throws -> (value: Float, gradient: [Float]) {
            var logits = random(1)
            let other = random(seed)
            for voxel in stride(from: 0, to: Self.labels.labels.count, by: 3) {
                for c in 0..<3 { logits[3 * voxel + c] = other[3 * voxel + c] }
            }
            let tracked = tensor(logits).tracked()
            let value = loss(tracked, labels: hidden)
            return (value.item, try #require(value.backward()[tracked]).scalars)
        }
        let (first, second) = (try run(2), try run(3))
        #expect(first.value == second.value && first.gradient == second.gradient)
        let ignored = stride(from: 0, to: Self.labels.labels.count, by: 3).flatMap { voxel in
            first.gradient[3 * voxel..<3 * voxel + 3]
        }
        #expect(ignored.allSatisfy { $0 == 0 })
    }

    @Test("a loss that says so is the mean of the losses of the samples", arguments: cases, [nil, 9] as [Int32?])
    func meanOverSamples(test: Case, ignored: Int32?) {
        let loss = test.loss(ignored)
        guard loss.isMeanOverSamples else { return }
        // Two thirds of the first sample are ignored, and nothing of the second.
        let volume = Self.extent.volume
        let labels = Self.labels.labels.enumerated().map { voxel, label in
            ignored.flatMap { voxel < volume && voxel % 3 != 0 ? $0 : nil } ?? label
        }
        let logits = random(8)
        func value(_ samples: Range<Int>) -> Float {
            let voxels = samples.lowerBound * volume..<samples.upperBound * volume
            return loss(
                Tensor(
                    Array(logits[3 * voxels.lowerBound..<3 * voxels.upperBound]),
                    shape: Shape(samples: samples.count, extent: Self.extent, channels: 3), on: cpu),
                labels: LabelMap(samples: samples.count, extent: Self.extent, labels: Array(labels[voxels]))
            ).item
        }
        let (whole, mean) = (value(0..<2), (value(0..<1) + value(1..<2)) / 2)
        #expect(abs(whole - mean) < 1e-5 * max(1, abs(whole)), "\(whole) is not \(mean)")
    }

    @Test("results do not depend on the number of threads", arguments: cases)
    func threads(test: Case) throws {
        let results = try [1, 3].map { threads -> ([Float], Float) in
            let logits = Tensor(random(4), shape: Self.shape, on: CPU(threads: threads)).tracked()
            let loss = test.loss(nil)
            let value = loss(logits, labels: Self.labels)
            return (try #require(value.backward()[logits]).scalars, value.item)
        }
        #expect(results[0] == results[1])
    }

    @Test("a mask without foreground gives numbers", arguments: cases)
    func emptyMasks(test: Case) throws {
        let empty = LabelMap(samples: 2, extent: Self.extent, labels: Array(repeating: 0, count: 2 * 210))
        let logits = tensor(random(6)).tracked()
        let loss = test.loss(nil)
        let value = loss(logits, labels: empty)
        #expect(value.item.isFinite)
        #expect(try #require(value.backward()[logits]).scalars.allSatisfy(\.isFinite))
    }

    private func value(_ loss: some SegmentationLoss, _ scalars: [Float]) -> Double {
        Double(loss(tensor(scalars), labels: Self.labels).item)
    }

    @Test func limitsOfTheFamiliesCoincide() {
        let logits = random(7)
        let crossEntropy = value(CrossEntropyLoss(), logits)
        var focal = FocalLoss()
        focal.gamma = 0
        #expect(abs(value(focal, logits) - crossEntropy) < 1e-6)
        #expect(abs(value(HardVoxelLoss(.share(1)), logits) - crossEntropy) < 1e-6)
        #expect(abs(value(HardVoxelLoss(.percent(100)), logits) - crossEntropy) < 1e-6)
        #expect(value(HardVoxelLoss(.percent(10)), logits) > value(HardVoxelLoss(.percent(50)), logits))
        focal.gamma = 2
        #expect(value(focal, logits) < crossEntropy)
        var tversky = TverskyLoss()
        (tversky.falsePositives, tversky.falseNegatives, tversky.includeBackground) = (0.5, 0.5, false)
        tversky.smooth = 0.5e-5
        #expect(abs(value(tversky, logits) - 1 - value(DiceLoss(), logits)) < 1e-6)
    }

    /// Pays for what is missed only, then for what is too much only.
    @Test func tverskyTellsTheTwoErrorsApart() {
        let all = (0..<Self.shape.count).map { $0 % 3 == 1 ? 60 : Float(-60) }
        let none = (0..<Self.shape.count).map { $0 % 3 == 0 ? 60 : Float(-60) }
        var loss = TverskyLoss()
        loss.includeBackground = false
        (loss.falsePositives, loss.falseNegatives) = (0, 1)
        // Class 1 is found wholly, class 2 not at all.
        #expect(abs(value(loss, all) - 0.5) < 1e-5)
        (loss.falsePositives, loss.falseNegatives) = (1, 0)
        // 36 and 24 of the 210 voxels are of class 1; of class 2 nothing is too much.
        #expect(abs(value(loss, all) - (2 - 60.0 / 210) / 4) < 1e-5 && value(loss, none) < 1e-5)
    }

    @Test func effectiveNumbersGoFromEqualToInverseCounts() {
        let counts = [1000, 10, 1]
        #expect(CrossEntropyLoss.effectiveNumberWeights(counts: counts, beta: 0) == [1, 1, 1])
        let inverse = CrossEntropyLoss.effectiveNumberWeights(counts: counts, beta: 0.99999999)
        #expect(abs(inverse[1] / inverse[0] - 100) < 0.01 && abs(inverse[2] / inverse[1] - 10) < 0.01)
        #expect(abs(inverse.reduce(0, +) - 3) < 1e-5)
        // (1 - b) / (1 - b^2) = 1 / (1 + b).
        let two = CrossEntropyLoss.effectiveNumberWeights(counts: [2, 1], beta: 0.9)
        #expect(abs(two[0] / two[1] - 1 / 1.9) < 1e-6)
        #expect(CrossEntropyLoss.effectiveNumberWeights(counts: [0, 1], beta: 0.9) == [1, 1])
    }

    @Test func weightsRunTheirCourse() {
        let course = WeightCourse(from: 1, to: 0.01, until: 0.5)
        for (progress, weight) in [(0, 1), (0.25, 0.505), (0.5, 0.01), (1, 0.01)] {
            #expect(abs(course(at: progress) - weight) < 1e-12)
        }
        #expect(WeightCourse(0.3)(at: 0) == 0.3)
        let loss = CompoundLoss([
            .init(DiceLoss(), weight: 1), .init(BoundaryLoss(), weight: .init(from: 0, to: 2, until: 1)),
        ])
        let terms = loss.terms(tensor(random(8)), labels: Self.labels, progress: 0.25)
        #expect(terms.map(\.name) == ["dice", "boundary"] && terms.map(\.weight) == [1, 0.5])
    }

    @Test func regionsMayOverlap() throws {
        var loss = DiceCrossEntropy()
        loss.regions = Regions([[1, 2], [2], [1]])
        // Logits of the sigmoid: each channel by itself.
        let right = Self.labels.labels.flatMap { label -> [Float] in
            [label > 0, label == 2, label == 1].map { $0 ? 60 : -60 }
        }
        let terms = loss.terms(tensor(right), labels: Self.labels, progress: 0)
        #expect(abs(terms[0].value.item) < 1e-6 && abs(terms[1].value.item + 1) < 1e-6)
        // Indifferent logits cost ln 2 in every channel, also where a voxel lies in two regions.
        let indifferent = loss.terms(Tensor(zeros: Self.shape, on: cpu), labels: Self.labels, progress: 0)
        #expect(abs(Double(indifferent[0].value.item) - log(2)) < 1e-6)
        // Channels do not compete: raising one leaves the gradients of the others.
        var raised = random(9)
        func gradients(_ scalars: [Float]) throws -> [Float] {
            let logits = tensor(scalars).tracked()
            let entropy = loss.terms(logits, labels: Self.labels, progress: 0)[0].value
            return try #require(entropy.backward()[logits]).scalars
        }
        let before = try gradients(raised)
        for index in stride(from: 0, to: raised.count, by: 3) { raised[index] += 1 }
        let after = try gradients(raised)
        #expect(before.indices.allSatisfy { ($0 % 3 == 0) == (before[$0] != after[$0]) })
    }
}
