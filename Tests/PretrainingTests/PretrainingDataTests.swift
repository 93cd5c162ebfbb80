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
