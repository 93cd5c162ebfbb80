import Finetuning
import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Training
import Volumes

/// The second of two stages.
struct RegionRunTests {
    private let cpu = CPU(threads: 2)
    private let region = ["region={margin_mm: 8, jitter_mm: 6}"]

    @Test func aRunInRegionsResumesToTheBitAndSaysWhatItSaw() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let model = try bench.train(bench.run("whole", weights: nil, overrides: region))
        #expect(model.card.region == RegionOfInterest(marginMM: 8, jitterMM: 6))
        #expect(try SegmentationModelCard(ofRun: bench.folder("whole")).region == model.card.region)
        let cut = try bench.run("cut", weights: nil, overrides: region)
        #expect(throws: TrainingInterrupted.self) { _ = try bench.train(cut, interruptAfter: 2) }
        _ = try bench.train(cut, .resuming)
        #expect(try bench.weightBytes("whole") == bench.weightBytes("cut"))
        // The margin moves, and other cases' images make another training.
        for (name, overrides) in [("still", ["region={margin_mm: 8}"]), ("plain", [])] {
            _ = try bench.train(bench.run(name, weights: nil, overrides: overrides))
            #expect(try bench.weightBytes("whole") != bench.weightBytes(name))
        }
        // A store gives the same cases.
        var stored = try bench.run("stored", weights: nil, overrides: region)
        stored.store = bench.folder("store")
        _ = try bench.train(stored)
        #expect(try bench.weightBytes("whole") == bench.weightBytes("stored"))
    }

    @Test func heldOutCasesAreScoredInRegionsOfLabelsOrOfTheFirstStage() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        _ = try bench.train(bench.run("coarse", weights: nil))
        let held = bench.dataset.trainingCases[3]
        let coarse = ["region={margin_mm: 4, coarse: \(bench.folder("coarse"))}"]
        for (name, overrides) in [("labels", ["region={margin_mm: 4}"]), ("both", coarse)] {
            let run = try bench.run(name, weights: nil, overrides: overrides)
            _ = try run.evaluate(bench.train(run), on: [held.name])
        }
        let reference = try NIfTIFile.readLabels(try #require(held.labelPath))
        func predicted(_ name: String) throws -> LabelVolume {
            try NIfTIFile.readLabels(bench.folder("\(name)/predictions/\(held.name).nii.gz"))
        }
        let box = RegionOfInterest(marginMM: 4).box(
            around: try #require(VoxelBox(around: reference.labels, extent: reference.extent)), in: reference.extent,
            spacingMM: reference.spacingMM)
        let found = try predicted("labels")
        let inside = try #require(VoxelBox(around: found.labels, extent: found.extent), "something is found")
        #expect(inside.intersection(box) == inside && box.extent.volume < found.extent.volume)
        let both = try TwoStageSegmenter(
            coarse: Ensemble(ofRuns: [bench.folder("coarse")], on: cpu),
            fine: Ensemble(ofRuns: [bench.folder("both")], on: cpu))
        #expect(try both.segment(bench.dataset.readImage(held)).labels == predicted("both").labels)
    }

    @Test("a first stage that knows a case to be tested on, and settings that make no sense, are refused")
    func refused() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        var coarse = try bench.run("coarse", weights: nil)
        coarse.trainingCases = [bench.dataset.trainingCases[3].name]
        _ = try bench.train(coarse)
        var run = try bench.run(
            "run", weights: nil, overrides: ["region={margin_mm: 4, coarse: \(bench.folder("coarse"))}"])
        run.heldOutCases = coarse.trainingCases
        let error = #expect(throws: FinetuneError.self) { _ = try bench.train(run) }
        #expect(error?.description.contains(coarse.trainingCases[0]) == true)
        for overrides in ["region={margin_mm: 2, jitter_mm: 3}", "region={jitter_mm: 3}", "region={coarse: x}"] {
            #expect(throws: RecipeError.self) { _ = try bench.run("x", weights: nil, overrides: [overrides]) }
        }
        #expect(throws: FinetuneError.self) {
            _ = try bench.train(
                bench.run("taught", weights: nil, overrides: region + ["teacher={kind: mean_teacher}"]))
        }
    }
}
