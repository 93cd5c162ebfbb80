import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Volumes
import WeightFiles

struct EnsembleTests {
    private let cpu = CPU(threads: 2)

    private func model(_ plan: Plan, seed: UInt64 = 1, classes: [String] = ["background", "a", "b"]) throws
        -> SegmentationModel
    {
        let network = try UNet(NetworkPlan(plan), on: cpu)
        Initializer.he.initialize(network, seed: seed)
        var window = SlidingWindow(patch: plan.patch)
        window.mirroredAxes = []
        let card = SegmentationModelCard(
            plan: plan, classes: classes.enumerated().map { .init(name: $0.element, label: Int16($0.offset)) },
            window: window)
        return SegmentationModel(path: "model \(seed)", card: card, network: network)
    }

    @Test func predictionsLieOnTheFilesGridByteForByte() throws {
        let folder = try TemporaryFolder()
        try NIfTIFile.write(Volume.turned(), to: folder("case_0000.nii"))
        let ensemble = try Ensemble([try model(.tiny(transpose: [2, 0, 1]))], on: cpu)
        try ensemble.segment(
            DatasetCase(name: "case", imagePaths: [folder("case_0000.nii")]), to: folder("case.nii"))
        let (image, labels) = (
            try Data(contentsOf: URL(filePath: folder("case_0000.nii"))),
            try Data(contentsOf: URL(filePath: folder("case.nii")))
        )
        #expect(image[252..<328] == labels[252..<328], "qform and sform codes, quaternion, offsets, matrix")
        #expect(image[40..<56] == labels[40..<56] && image[80..<92] == labels[80..<92], "dimensions and voxel sizes")
        let read = try NIfTIFile.readLabels(folder("case.nii"))
        #expect(Set(read.values).isSubset(of: [0, 1, 2]) && read.values.count > 1)
        // The empty border is outside of what was predicted.
        #expect(read.labels.enumerated().allSatisfy { $0.offset % 21 >= 2 || $0.element == 0 })
    }

    @Test func aSingleModelTwiceIsThatModel() throws {
        let (one, other) = (try model(.tiny()), try model(.tiny(), seed: 2))
        let labels = try [[one], [one, one], [one, other], [other]].map {
            try Ensemble($0, on: cpu).segment(Volume.turned()).labels
        }
        #expect(labels[0] == labels[1] && labels[0] != labels[2] && labels[2] != labels[3])
    }

    @Test func modelsOfDifferentInputsAreRefused() throws {
        let first = try model(.tiny())
        let coarse = try model(.tiny(spacingMM: [2, 2, 2]), seed: 2)
        let renamed = try model(.tiny(), seed: 3, classes: ["background", "b", "a"])
        for (other, word) in [(coarse, "preprocessing"), (renamed, "classes")] {
            let error = #expect(throws: SegmentationError.self) { _ = try Ensemble([first, other], on: cpu) }
            #expect(error?.description.contains(word) == true)
        }
    }

    @Test func aModelIsReadBackFromItsRun() throws {
        let folder = try TemporaryFolder()
        let model = try model(.tiny())
        try model.card.write(toRun: folder.path)
        try SafetensorsFile.write(model.network.storedTensors(everyAlias: false), to: folder("weights.safetensors"))
        let read = try SegmentationModel(ofRun: folder.path, on: cpu)
        #expect(read.card == model.card)
        #expect(
            try Ensemble([read], on: cpu).segment(Volume.turned()).labels
                == Ensemble([model], on: cpu).segment(Volume.turned()).labels)
        let error = #expect(throws: SegmentationError.self) { _ = try SegmentationModel(ofRun: "/nowhere", on: cpu) }
        #expect(error?.exitCode == 65 && error?.description.contains("/nowhere") == true)
    }
}
