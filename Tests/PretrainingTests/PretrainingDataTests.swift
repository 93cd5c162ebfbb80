import Foundation
import Pretraining
import Tensors
import Testing
import Training
import Volumes

struct PretrainingDataTests {
    /// Calls `body` with a folder that is removed afterwards.
    private static func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pretraining-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private static func volume(_ edge: Int, spacingMM: Double, seed: UInt64, channels: Int = 1) -> Volume {
        var draws = Draws(seed: seed, purpose: "test noise")
        let voxels = (0..<channels * edge * edge * edge).map { _ in Float(100 + 10 * draws.normal()) }
        return Volume(
            voxels: voxels,
            geometry: Geometry(extent: Extent3(edge), spacingMM: [spacingMM, spacingMM, spacingMM]))
    }

    private static func recipe(_ folder: String, _ more: String = "") throws -> PretrainingDataRecipe {
        let text = "sources: ['\(folder)/images']\nmin_file_kilobytes: 0\nmin_field_of_view_mm: 12\n\(more)"
        return try RecipeDocument.parse(text).resolve(PretrainingDataRecipe.init(reading:)).0
    }

    private static func write(_ volumes: [String: Volume], to folder: String) throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/images", withIntermediateDirectories: true)
        for (name, volume) in volumes { try NIfTIFile.write(volume, to: "\(folder)/images/\(name)") }
    }

    @Test func imagesAreNormalizedResampledAndPartedAndUnsuitableOnesReported() throws {
        try Self.withFolder { folder in
            var volumes: [String: Volume] = [:]
            for index in 0..<6 { volumes["case\(index).nii.gz"] = Self.volume(10, spacingMM: 2, seed: UInt64(index)) }
            volumes["small.nii"] = Self.volume(5, spacingMM: 2, seed: 7)
            volumes["coarse.nii"] = Self.volume(5, spacingMM: 7, seed: 8)
            volumes["several.nii"] = Self.volume(10, spacingMM: 2, seed: 9, channels: 2)
            try Self.write(volumes, to: folder)
            let leftOut = LeftOut()
            let data = try PretrainingData(
                preparing: Self.recipe(folder, "exclude: [case3]\nvalidation_subjects: 2"), spacingMM: [1, 1, 1],
                at: "\(folder)/store", on: CPU(threads: 2)
            ) { leftOut.note($0) }

            #expect(leftOut.names == ["images__coarse", "images__several", "images__small"])
            let names = data.training.map(\.name) + data.validation.map(\.name)
            let expected = ["case0", "case1", "case2", "case4", "case5"].map { "images__\($0)" }
            #expect(names.sorted() == expected)
            #expect(data.validation.count == 2)
            let patch = try data.training[0].source.patch(in: VoxelBox(whole: data.training[0].source.extent))
            #expect(patch.extent == 20)
            let mean = patch.image.reduce(0, +) / Float(patch.image.count)
            #expect(abs(mean) < 0.1, "z-scored before it was resampled")
        }
    }

    /// A BIDS tree and a collection of nnssl: modalities, masks, weights.
    @Test func layoutsOfTheFieldAreUnderstood() throws {
        try Self.withFolder { folder in
            func write(_ path: String, seed: UInt64) throws {
                let file = "\(folder)/\(path)"
                try FileManager.default.createDirectory(
                    atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try NIfTIFile.write(Self.volume(10, spacingMM: 2, seed: seed), to: file)
            }
            func text(_ content: String, to path: String) throws {
                try content.write(toFile: "\(folder)/\(path)", atomically: true, encoding: .utf8)
            }
            for (index, name) in ["sub-1_T1w", "sub-1_FLAIR", "sub-1_swi", "sub-1_desc-brain_mask"].enumerated() {
                try write("bids/sub-1/anat/\(name).nii.gz", seed: UInt64(index))
            }
            try write("bids/derivatives/sub-1/sub-1_T1w.nii.gz", seed: 9)
            try text("{}", to: "bids/dataset_description.json")
            for index in 0..<2 { try write("raw/image\(index).nii.gz", seed: UInt64(20 + index)) }
            let mask = Volume(
                voxels: (0..<1000).map { $0 < 500 ? 1 : 0 }, geometry: Self.volume(10, spacingMM: 2, seed: 1).geometry)
            try NIfTIFile.write(mask, to: "\(folder)/raw/mask.nii.gz")
            try text(
                """
                {"collection_index": 1, "collection_name": "c", "datasets": {"7": {"dataset_index": 7, "subjects": {"s": {
                  "subject_id": "s", "sessions": {"0": {"session_id": 0, "images": [
                    {"name": "image0.nii.gz", "modality": "T1", "image_path": "image0.nii.gz", "image_info": {},
                     "associated_masks": {"anatomy_mask": "mask.nii.gz", "anonymization_mask": null}},
                    {"name": "image1.nii.gz", "modality": "T2", "image_path": "\(folder)/raw/image1.nii.gz",
                     "associated_masks": null}]}}}}}}}
                """, to: "raw/pretrain_data.json")

            let bids = try ImageCollection(sources: ["\(folder)/bids"]).items
            let (modalities, subjects) = (bids.map { $0.modality ?? "" }, Set(bids.map(\.subject)))
            #expect(modalities == ["FLAIR", "T1w", "swi"] && subjects == ["bids__sub-1"])
            let recipe = try RecipeDocument.parse(
                """
                sources: ['\(folder)/bids', '\(folder)/raw']
                weights: [1, 3]
                min_file_kilobytes: 0
                min_field_of_view_mm: 12
                validation_subjects: 0
                """
            ).resolve(PretrainingDataRecipe.init(reading:)).0
            let leftOut = LeftOut()
            let data = try PretrainingData(
                preparing: recipe, spacingMM: [2, 2, 2], at: "\(folder)/store", on: CPU(threads: 2)
            ) { leftOut.note($0) }
            #expect(leftOut.names == ["bids__sub-1__anat__sub-1_swi"], "the public code drops susceptibility images")
            #expect(data.training.map(\.weight) == [0.5, 0.5, 1.5, 1.5])
            // The public code's anatomy masks are 1 where there is none: the second half of the slices is anatomy.
            let anatomy = data.training.map { $0.anatomy?.classes.first }
            let labels = anatomy.map { $0?.label ?? 0 }
            #expect(labels == [0, 0, Int(RegionLabel.anatomy), 0])
            let voxels = try #require(anatomy[2]).voxels
            #expect(voxels.count == 500 && voxels.min() == 500)

            let batches = PatchBatches(
                of: data.training, cutter: .plain(patch: 4, oversampling: .probability(0)), samples: 400, seed: 1)
            let names = try batches.batch(step: 0).names
            // Three quarters of 400 draws: deviation 9.
            #expect(abs(names.count { $0.hasPrefix("raw") } - 300) < 50)
            try text("{\"datasets\": 3}", to: "raw/pretrain_data.json")
            #expect(throws: PretrainingDataError.self) { try ImageCollection(sources: ["\(folder)/raw"]) }
        }
    }

    @Test func modalitiesAreComparedAsPeopleWriteThem() {
        let study = ModalityFilter(only: ["T1", "t2w"], without: ["SWI"])
        for wanted in ["T1w", "t1", "T2"] { #expect(study.objection(to: wanted) == nil) }
        for unwanted: String? in ["swi", "FLAIR", nil] { #expect(study.objection(to: unwanted) != nil) }
        let any = ModalityFilter(only: [], without: ["SWI"])
        #expect(any.objection(to: nil) == nil && any.objection(to: "SWIw") != nil)
    }

    @Test func volumesSmallerThanThePatchAreZeroBeyondTheirBorders() throws {
        let image = PretrainingData.Image(
            name: "small", source: Patch(image: [Float](repeating: 3, count: 64), channels: 1, labels: nil, extent: 4))
        let batches = PatchBatches(
            of: [image], cutter: .plain(patch: 8, oversampling: .probability(0)), samples: 2, seed: 1)
        let batch = try batches.batch(step: 0)
        #expect(batch.voxels.count == 2 * 512 && batch.names == ["small", "small"])
        #expect(batch.voxels.count { $0 == 3 } == 2 * 64)
        #expect(batch.voxels.count { $0 == 0 } == 2 * 448)
    }

    @Test func batchesAreAFunctionOfTheStep() throws {
        let image = PretrainingData.Image(
            name: "noise",
            source: Patch(image: Self.volume(24, spacingMM: 1, seed: 4).voxels, channels: 1, labels: nil, extent: 24))
        let batches = PatchBatches(of: [image], cutter: .pretraining(patch: 8), samples: 2, seed: 1)
        let later = try batches.batch(step: 5).voxels
        #expect(try batches.batch(step: 5).voxels == later)
        #expect(try batches.batch(step: 4).voxels != later)
    }

    @Test func whatIsMissingIsNamed() throws {
        try Self.withFolder { folder in
            try Self.write(["case0.nii": Self.volume(10, spacingMM: 2, seed: 1)], to: folder)
            func prepare(_ recipe: PretrainingDataRecipe) throws {
                _ = try PretrainingData(
                    preparing: recipe, spacingMM: [1, 1, 1], at: "\(folder)/store", on: CPU(threads: 1)
                ) { _ in }
            }
            var recipe = try Self.recipe(folder, "exclude: [case9]")
            #expect(throws: PretrainingDataError.nothingToExclude(name: "case9")) { try prepare(recipe) }
            recipe.excluded = ["case0"]
            #expect(throws: PretrainingDataError.noImages(sources: recipe.sources)) { try prepare(recipe) }
            recipe.sources = ["\(folder)/nowhere"]
            #expect(throws: PretrainingDataError.noSuchSource("\(folder)/nowhere")) { try prepare(recipe) }
            recipe.sources = []
            #expect(throws: PretrainingDataError.noSources) { try prepare(recipe) }
            recipe = try Self.recipe(folder)
            recipe.selection.minFieldOfViewMM = 100
            #expect(throws: PretrainingDataError.self) { try prepare(recipe) }
        }
    }

    private final class LeftOut: Sendable {
        private let found = Locked<[String]>([])
        var names: [String] { found.value.sorted() }
        func note(_ notice: PretrainingNotice) {
            if case .leftOut(let name, _) = notice { found.change { $0.append(name) } }
        }
    }
}
