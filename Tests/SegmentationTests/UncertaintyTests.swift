import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Volumes

struct UncertaintyTests {
    private let cpu = CPU(threads: 2)

    /// Two voxels of two classes, two predictions: (1, 0) and (0, 1) in the first voxel, (1/2, 1/2) twice in the second.
    @Test func matchesTheFormulas() {
        var uncertainty = Uncertainty(channels: 2, voxels: 2, areRegions: false)
        uncertainty.add([1, 0.5, 0, 0.5])
        uncertainty.add([0, 0.5, 1, 0.5])
        #expect(uncertainty.mean == [0.5, 0.5, 0.5, 0.5])
        let (variance, entropy, information) = (
            uncertainty.map(.variance), uncertainty.map(.entropy), uncertainty.map(.mutualInformation)
        )
        let bit = Float(log(2.0))
        #expect(variance == [0.5, 0] && abs(entropy[0] - bit) < 1e-6 && abs(entropy[1] - bit) < 1e-6)
        #expect(abs(information[0] - bit) < 1e-6 && abs(information[1]) < 1e-6)
        // A region is a coin: its entropy counts both sides.
        var region = Uncertainty(channels: 1, voxels: 1, areRegions: true)
        region.add([0.25])
        let expected = -0.25 * log(0.25) - 0.75 * log(0.75)
        #expect(abs(Double(region.map(.entropy)[0]) - expected) < 1e-6 && region.map(.mutualInformation)[0] < 1e-6)
        #expect(region.band == [true])
    }

    @Test func mutualInformationIsNeverNegativeNorAboveTheEntropy() {
        var draws = Draws(seed: 3, purpose: "test")
        var uncertainty = Uncertainty(channels: 3, voxels: 500, areRegions: false)
        for _ in 0..<7 {
            let logits = (0..<1500).map { _ in Float(4 * draws.normal()) }
            uncertainty.add(Probabilities.of(logits, voxels: 500, areRegions: false))
        }
        let (entropy, information) = (uncertainty.map(.entropy), uncertainty.map(.mutualInformation))
        for (h, i) in zip(entropy, information) { #expect(i >= 0 && i <= h + 1e-5 && h <= Float(log(3.0)) + 1e-5) }
    }

    private func model(_ plan: Plan, seed: UInt64, mirrored: [Int]) throws -> SegmentationModel {
        let network = try UNet(NetworkPlan(plan), on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: seed)
        var window = SlidingWindow(patch: plan.patch)
        window.mirroredAxes = mirrored
        let card = SegmentationModelCard(
            plan: plan,
            classes: ["background", "a", "b"].enumerated().map { .init(name: $0.element, label: Int16($0.offset)) },
            window: window)
        return SegmentationModel(path: "model \(seed)", card: card, network: network)
    }

    @Test("labels stay, and maps tell how far views and models agree", arguments: [[], [0, 2]])
    func maps(mirrored: [Int]) throws {
        let image = Volume.turned()
        let models = try (1...2).map { try model(.tiny(), seed: UInt64($0), mirrored: mirrored) }
        for count in 1...2 {
            let ensemble = try Ensemble(Array(models.prefix(count)), on: cpu)
            let result = try ensemble.segmentWithUncertainty(image) { _, _ in }
            #expect(try ensemble.segment(image).labels == result.labels.labels)
            #expect(result.uncertainty.predictions == count * (mirrored.isEmpty ? 1 : 4))
            let variance = result.uncertainty.map(.variance)
            let isAlone = count == 1 && mirrored.isEmpty
            #expect((variance.max() ?? 0 < 1e-6) == isAlone && (result.score < 1e-6) == isAlone)
            // Nothing is unsure in the border that was cut off.
            #expect(result.uncertainty.map(.entropy).enumerated().allSatisfy { $0.offset % 21 >= 2 || $0.element == 0 })
        }
        let mixture = try ModelMixture(models.map { try Ensemble([$0], on: cpu) }, rule: .vote, on: cpu)
        let mixed = try mixture.segmentWithUncertainty(image) { _, _ in }
        #expect(try mixture.segment(image).labels == mixed.labels.labels)
        #expect(mixed.uncertainty.predictions == 2 * (mirrored.isEmpty ? 1 : 4))
    }

    @Test func mapsHaveTheImagesGeometry() throws {
        let folder = try TemporaryFolder()
        try NIfTIFile.write(Volume.turned(), to: folder("case_0000.nii"))
        let read = try DatasetCase(name: "case", imagePaths: [folder("case_0000.nii")]).readImage(channelNames: ["T1"])
        let ensemble = try Ensemble([model(.tiny(), seed: 1, mirrored: [0, 1, 2])], on: cpu)
        let result = try ensemble.segmentWithUncertainty(read) { _, _ in }
        try result.write(named: "case", to: folder.path)
        for kind in Uncertainty.Kind.allCases {
            let map = try NIfTIFile.read(folder("case_\(kind.rawValue).nii.gz"))
            #expect(map.geometry == read.geometry && map.voxels == result.uncertainty.map(kind))
        }
    }

    @Test func anImageIsJudgedByHowFarTheNetworksAgree() throws {
        let image = Volume.turned()
        let twice = try Ensemble([1, 1].map { try model(.tiny(), seed: $0, mirrored: []) }, on: cpu)
        let same = try twice.interest(in: image, named: "x")
        #expect(same.disagreement == 0 && same.mutualInformation < 1e-5 && same.entropy > 0.1 && same.gradient > 0)
        let two = try Ensemble([1, 2].map { try model(.tiny(), seed: $0, mirrored: []) }, on: cpu)
        let other = try two.interest(in: image, named: "x")
        #expect(other.disagreement > 0 && other.mutualInformation > 1e-4)
        #expect(same.features.count == 8 && same.features == other.features, "those of the first model")
    }

    /// By hand: a linear head on constant features has the gradient (p - onehot) f.
    @Test func theGradientOfTheLastLayerIsThatOfTheFormula() throws {
        let model = try model(.tiny(), seed: 1, mirrored: [])
        // Zero weights: all classes equal, the first is predicted; features do not matter but through their mean.
        for (_, parameter) in model.network.decoder.lastLayer.namedParameters { parameter.fill(with: 0) }
        let uniform = try Ensemble([model], on: cpu).interest(in: Volume.turned(), named: "x")
        #expect(abs(uniform.entropy - log(3)) < 1e-4)
        // The bias alone gives (2/3)² + 2 (1/3)² = 2/3; the weights add at least nothing.
        #expect(uniform.gradient >= 2.0 / 3 - 1e-4)
        // A head that is certain learns nothing more.
        model.network.decoder.lastLayer.bias?.scalars = [60, 0, 0]
        #expect(try Ensemble([model], on: cpu).interest(in: Volume.turned(), named: "x").gradient < 1e-12)
    }

    @Test func disagreementIsOneMinusTheMeanDiceOfPairs() {
        #expect(Ensemble.disagreement([[0, 1, 1, 2], [0, 1, 1, 2]]) == 0)
        #expect(Ensemble.disagreement([[1, 1, 0, 0], [0, 0, 1, 1]]) == 1)
        #expect(Ensemble.disagreement([[0, 0], [0, 0]]) == 0 && Ensemble.disagreement([[1, 0]]) == 0)
        // Class 1: 2 of 2 + 1; class 2: nothing shared.
        let value = Ensemble.disagreement([[1, 1, 0], [1, 2, 0]])
        #expect(abs(value - (1 - (2.0 / 3 + 0) / 2)) < 1e-12)
    }
}
