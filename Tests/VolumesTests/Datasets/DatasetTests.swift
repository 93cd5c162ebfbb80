import Foundation
import Tensors
import Testing
import Volumes

@Suite struct DatasetTests {
    private static let description = """
        {"channel_names": {"1": "FLAIR", "0": "T1"}, "labels": {"liver": 1, "background": 0, "ignore": 3, "vein": 2},
         "file_ending": ".nii", "numTraining": 2, "name": "Tiny"}
        """

    /// A dataset of two training cases and a test case with two channels each.
    private func withDataset(
        _ description: String = description, _ body: (String) throws -> Void
    ) throws {
        try withFolder { folder in
            for name in ["imagesTr", "imagesTs", "labelsTr"] {
                try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: false)
            }
            try description.write(toFile: "\(folder)/dataset.json", atomically: true, encoding: .utf8)
            for name in ["b_2", "a"] {
                for channel in 0..<2 {
                    try write(value: Float(channel), to: "\(folder)/imagesTr/\(name)_000\(channel).nii")
                }
                try write(value: 2, to: "\(folder)/labelsTr/\(name).nii")
            }
            for channel in 0..<2 { try write(value: 1, to: "\(folder)/imagesTs/t_000\(channel).nii") }
            try body(folder)
        }
    }

    private func write(value: Float, to path: String, extent: Extent3 = 3, shiftMM: Double = 0) throws {
        let geometry = Geometry(
            extent: extent, affine: Affine(spacingMM: SIMD3(1, 1, 1), originMM: SIMD3(shiftMM, 0, 0)))
        let voxels = [Float](repeating: value, count: extent.volume)
        try NIfTIFile.write(Volume(voxels: voxels, geometry: geometry), to: path)
    }

    @Test("cases are sorted, channels and classes in order")
    func sound() throws {
        try withDataset { folder in
            let dataset = try NNUNetDataset(path: folder)
            #expect(dataset.name == "Tiny")
            #expect(dataset.channelNames == ["T1", "FLAIR"])
            #expect(dataset.classes.map(\.name) == ["background", "liver", "vein"])
            #expect(dataset.ignoreLabel == 3)
            #expect(dataset.trainingCases.map(\.name) == ["a", "b_2"])
            #expect(dataset.testCases.map(\.name) == ["t"])
            let image = try dataset.readImage(dataset.trainingCases[1])
            #expect(image.channelNames == ["T1", "FLAIR"])
            #expect(image.voxels == [Float](repeating: 0, count: 27) + [Float](repeating: 1, count: 27))
            #expect(try dataset.readLabels(dataset.trainingCases[0], on: image.geometry)?.values == [2])
            #expect(try dataset.readLabels(dataset.testCases[0], on: image.geometry) == nil)
        }
    }

    @Test("regions overlap; each writes the label that its place in the file gives it")
    func regions() throws {
        func description(_ labels: String, order: String = #", "regions_class_order": [3, 1, 2]"#) -> String {
            #"{"channel_names": {"0": "T1", "1": "T2"}, "labels": {\#(labels)}\#(order), "file_ending": ".nii"}"#
        }
        let nested = #""background": 0, "zone": 3, "whole tumor": [1, 2, 3], "core": [2, 3], "ignore": 4"#
        try withDataset(description(nested)) { folder in
            let dataset = try NNUNetDataset(path: folder)
            let regions = try #require(dataset.regions)
            #expect(
                regions.map(\.name) == ["zone", "whole tumor", "core"] && regions.map(\.writtenLabel) == [3, 1, 2])
            #expect(regions.map(\.labels) == [[3], [1, 2, 3], [2, 3]])
            #expect(dataset.outputChannels == 3 && dataset.ignoreLabel == 4)
            #expect(dataset.classes.map(\.name) == ["background", "1", "2", "zone"])
            #expect(dataset.knownLabels.sorted() == [0, 1, 2, 3, 4])
        }
        try withDataset { folder in
            let dataset = try NNUNetDataset(path: folder)
            #expect(dataset.regions == nil && dataset.outputChannels == 3)
        }
        for (labels, order, words) in [
            (nested, "", "no regions_class_order"),
            (nested, #", "regions_class_order": [1, 2]"#, "3 regions, but regions_class_order lists 2"),
            (nested, #", "regions_class_order": [1, 2, 9]"#, "the label 9"),
            (#""background": 0, "tumor": [1, -2]"#, "", "expected a whole number"),
        ] {
            try withDataset(description(labels, order: order)) { folder in
                let error = #expect(throws: DatasetError.self) { _ = try NNUNetDataset(path: folder) }
                #expect(error?.description.contains(words) == true, "\(String(describing: error))")
            }
        }
    }

    @Test("the Decathlon's spelling is understood")
    func decathlon() throws {
        let description = """
            {"modality": {"0": "MRI", "1": "MRI"}, "labels": {"0": "background", "2": "edema", "1": "core"}, "file_ending": ".nii"}
            """
        try withDataset(description) { folder in
            let dataset = try NNUNetDataset(path: folder)
            #expect(dataset.classes.map(\.name) == ["background", "core", "edema"])
        }
    }

    @Test(
        "a wrong dataset.json is explained",
        arguments: [
            ("[1]", "not a JSON object"), ("{", "not a JSON object"), (#"{"labels": {"a": 0}}"#, "channel_names"),
            (#"{"channel_names": {"1": "CT"}, "labels": {"a": 0}}"#, #""0""#),
            (#"{"channel_names": {"0": "CT"}}"#, "labels"),
            (#"{"channel_names": {"0": "CT"}, "labels": {"background": 0, "whole": [1, 2]}}"#, "regions_class_order"),
            (#"{"channel_names": {"0": "CT"}, "labels": {"background": 0, "a": 1, "b": 1}}"#, "both 1"),
            (#"{"channel_names": {"0": "CT"}, "labels": {"background": 0, "a": 2}}"#, "without gaps"),
            (#"{"channel_names": {"0": "CT"}, "labels": {"background": 0, "a": -1}}"#, "whole number"),
            (#"{"channel_names": {"0": "CT"}, "labels": {"background": 0}, "file_ending": ".png"}"#, ".png"),
        ])
    func wrongDescription(description: String, says: String) throws {
        try withDataset(description) { folder in
            let error = #expect(throws: DatasetError.self) { try NNUNetDataset(path: folder) }
            #expect(error?.description.contains(says) == true)
            #expect(error?.description.contains("dataset.json") == true)
            #expect(error?.exitCode == 65)
        }
    }

    @Test("missing and superfluous files are named")
    func files() throws {
        func expect(_ expected: (String) -> DatasetError, after change: (String) throws -> Void) throws {
            try withDataset { folder in
                try change(folder)
                #expect(throws: expected(folder)) { try NNUNetDataset(path: folder) }
            }
        }
        func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: file) }
        try expect({ .missingChannel(case: "a", path: "\($0)/imagesTr/a_0001.nii") }) {
            try remove("\($0)/imagesTr/a_0001.nii")
        }
        try expect({ .missingLabels(case: "a", path: "\($0)/labelsTr/a.nii") }) { try remove("\($0)/labelsTr/a.nii") }
        try expect({ .labelsWithoutImage(path: "\($0)/labelsTr/c.nii") }) {
            try write(value: 0, to: "\($0)/labelsTr/c.nii")
        }
        try expect({ .badFileName(path: "\($0)/imagesTr/c.nii", expected: "NAME_0000.nii") }) {
            try write(value: 0, to: "\($0)/imagesTr/c.nii")
        }
        try withDataset { folder in
            try write(value: 0, to: "\(folder)/imagesTr/a_0002.nii")
            #expect(throws: DatasetError.self) { try NNUNetDataset(path: folder) }
            try remove("\(folder)/dataset.json")
            #expect(throws: DatasetError.self) { try NNUNetDataset(path: folder) }
        }
    }

    @Test("contents that do not fit are named")
    func contents() throws {
        try withDataset { folder in
            let dataset = try NNUNetDataset(path: folder)
            let first = dataset.trainingCases[0]
            let geometry = try dataset.readImage(first).geometry
            try write(value: 7, to: "\(folder)/labelsTr/a.nii")
            #expect(
                throws: DatasetError.unknownLabel(
                    case: "a", path: "\(folder)/labelsTr/a.nii", value: 7, known: [0, 1, 2, 3])
            ) {
                try dataset.readLabels(first, on: geometry)
            }
            try write(value: 1, to: "\(folder)/labelsTr/a.nii", shiftMM: 0.5)
            let shifted = #expect(throws: DatasetError.self) { try dataset.readLabels(first, on: geometry) }
            #expect(shifted?.description.contains("0.5 mm") == true)
            try write(value: 1, to: "\(folder)/imagesTr/a_0001.nii", extent: 4)
            let larger = #expect(throws: DatasetError.self) { try dataset.readImage(first) }
            #expect(larger?.description.contains("[3, 3, 3] and [4, 4, 4]") == true)
            try write(value: .nan, to: "\(folder)/imagesTr/a_0000.nii")
            #expect(throws: DatasetError.notFinite(case: "a", path: "\(folder)/imagesTr/a_0000.nii", count: 27)) {
                try dataset.readImage(first)
            }
            try Data("no image".utf8).write(to: URL(filePath: "\(folder)/imagesTr/a_0000.nii"))
            #expect(throws: NIfTIError.self) { try dataset.readImage(first) }
        }
    }

    @Test("a plain folder is searched with its subfolders")
    func plainFolder() throws {
        try withFolder { folder in
            #expect(throws: DatasetError.noImages(folder: folder)) { try ImageFolder(path: folder) }
            try FileManager.default.createDirectory(atPath: "\(folder)/z/.hidden", withIntermediateDirectories: true)
            for name in ["z/b.nii.gz", "c.nii", "z/a.hdr", "z/.hidden/d.nii", ".e.nii"] {
                try write(value: 1, to: "\(folder)/\(name)")
            }
            let images = try ImageFolder(path: folder)
            #expect(images.cases.map(\.name) == ["c", "z__a", "z__b"])
            #expect(try images.cases[1].readImage().extent == 3)
            try write(value: 1, to: "\(folder)/c.nii.gz")
            #expect(
                throws: DatasetError.duplicateName(case: "c", first: "\(folder)/c.nii", second: "\(folder)/c.nii.gz")
            ) {
                try ImageFolder(path: folder)
            }
        }
    }
}
