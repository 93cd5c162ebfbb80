import Finetuning
import Foundation
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

/// Datasets that nobody hopes for, from training to scores: they work, or say what is wrong with which case.
struct BadInputTests {
    private let cpu = CPU(threads: 2)

    private func image(_ bench: RunBench, _ index: Int) -> String {
        bench.folder("data/imagesTr/\(bench.dataset.trainingCases[index].name)_0000.nii.gz")
    }

    private func labels(_ bench: RunBench, _ index: Int) -> String {
        bench.folder("data/labelsTr/\(bench.dataset.trainingCases[index].name).nii.gz")
    }

    /// Trains, predicts the last case, and gives the losses and the scores.
    private func result(_ bench: RunBench, _ overrides: [String] = [], cases: Int = 2) throws -> ([Double], Double) {
        var run = try bench.run("run", weights: nil, overrides: overrides)
        run.trainingCases = Array(run.trainingCases.prefix(cases))
        let model = try bench.train(run)
        let held = try #require(bench.dataset.trainingCases.last)
        let scores = try run.evaluate(model, on: [held.name])
        let prediction = try NIfTIFile.readLabels(bench.folder("run/predictions/\(held.name).nii.gz"))
        #expect(prediction.geometry == (try NIfTIFile.read(held.imagePaths[0])).geometry)
        let log = try RunLog.read(bench.folder("run/log.jsonl"))
        return (log.compactMap(\.loss), scores.foregroundMean(.dice))
    }

    @Test func masksMayBeEmpty() throws {
        let bench = try RunBench(cpu)
        for index in 0..<4 {
            var map = try NIfTIFile.readLabels(labels(bench, index))
            map.labels = map.labels.map { _ in 0 }
            try NIfTIFile.write(map, to: labels(bench, index))
        }
        let (losses, dice) = try result(bench, ["patches.foreground_share=1", "patches.carve_mix=1"])
        #expect(losses.count == 3 && losses.allSatisfy(\.isFinite))
        // Whatever is found in a case without structures is wrong; nothing found is no score.
        #expect(dice.isNaN || dice == 0)
    }

    @Test func aPatchMayBeLargerThanTheImage() throws {
        let bench = try RunBench(cpu)
        var plan = Plan.tiny(spacingMM: [2, 2, 2])
        plan.patch = Extent3(depth: 48, height: 64, width: 32)
        try AtomicFile.write(try plan.json(), to: bench.folder("plan.json"))
        let extent = try NIfTIFile.read(image(bench, 0)).extent
        #expect(extent.depth < 48 && extent.height < 64 && extent.width < 32)
        let (losses, dice) = try result(bench)
        #expect(losses.count == 3 && losses.allSatisfy(\.isFinite) && (dice.isNaN || (0...1).contains(dice)))
    }

    @Test func oneCaseIsEnoughToTrain() throws {
        let (losses, _) = try result(RunBench(cpu), cases: 1)
        #expect(losses.count == 3 && losses.allSatisfy(\.isFinite))
    }

    @Test("images may be constant, also zero everywhere", arguments: [Float(0), 7])
    func constantImages(value: Float) throws {
        let bench = try RunBench(cpu)
        for index in 0..<4 {
            var volume = try NIfTIFile.read(image(bench, index))
            volume.voxels = volume.voxels.map { _ in value }
            try NIfTIFile.write(volume, to: image(bench, index))
        }
        let (losses, dice) = try result(bench)
        #expect(losses.count == 3 && losses.allSatisfy(\.isFinite) && (dice.isNaN || (0...1).contains(dice)))
    }

    /// Thick slices, turned by some 20 degrees, the first axis of the file from right to left; another grid in every case.
    @Test("grids may be anisotropic and oblique", arguments: [[nil, 2, 2], [2, 2, 2]] as [[Double?]])
    func obliqueGrids(spacingMM: [Double?]) throws {
        let bench = try RunBench(cpu)
        var plan = Plan.tiny(spacingMM: [2, 2, 2])
        plan.spacingMM = spacingMM
        try AtomicFile.write(try plan.json(), to: bench.folder("plan.json"))
        for index in 0..<4 {
            let angle = 0.3 + 0.1 * Double(index)
            let (c, s, thick) = (cos(angle), sin(angle), 4 + Double(index))
            let affine = Affine(
                x: SIMD4(-1.5 * c, -2 * s, 0, 40), y: SIMD4(-1.5 * s, 2 * c, 0, -7), z: SIMD4(0, 0, thick, 3))
            let volume = try NIfTIFile.read(image(bench, index))
            let geometry = Geometry(extent: volume.extent, affine: affine)
            try NIfTIFile.write(Volume(voxels: volume.voxels, geometry: geometry), to: image(bench, index))
            let map = try NIfTIFile.readLabels(labels(bench, index))
            try NIfTIFile.write(LabelVolume(labels: map.labels, geometry: geometry), to: labels(bench, index))
        }
        let (losses, dice) = try result(bench)
        #expect(losses.count == 3 && losses.allSatisfy(\.isFinite) && (dice.isNaN || (0...1).contains(dice)))
    }

    @Test func labelsOutsideTheClassListNameTheCaseAndLeaveNoRun() throws {
        let bench = try RunBench(cpu)
        var map = try NIfTIFile.readLabels(labels(bench, 1))
        map.labels[4] = 7
        try NIfTIFile.write(map, to: labels(bench, 1))
        let run = try bench.run("run", weights: nil)
        let error = #expect(throws: DatasetError.self) { _ = try bench.train(run) }
        #expect(error?.description.contains(bench.dataset.trainingCases[1].name) == true)
        #expect(error?.description.contains("label 7") == true && error?.exitCode == 65)
        #expect(!FileManager.default.fileExists(atPath: run.folder))
    }

    @Test func labelsOnAnotherGridThanTheImageAreRefused() throws {
        let bench = try RunBench(cpu)
        let map = try NIfTIFile.readLabels(labels(bench, 0))
        var moved = map.geometry
        moved.affine.x.w += 3
        try NIfTIFile.write(LabelVolume(labels: map.labels, geometry: moved), to: labels(bench, 0))
        let error = #expect(throws: DatasetError.self) { _ = try bench.train(bench.run("run", weights: nil)) }
        #expect(error?.description.contains("different grids") == true)
    }
}
