import Finetuning
import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

struct AdapterRunTests {
    private let cpu = CPU(threads: 2)

    private func names(_ path: String) throws -> Set<String> {
        Set(try SafetensorsFile.read(path).canonicalTensors.keys)
    }

    @Test func mergedWeightsNeedNothingNewAndTheEncodersOwnStay() throws {
        let bench = try RunBench(cpu)
        let lora = ["adapters={kind: lora, rank: 2}"]
        var report: TransferReport?
        let run = try bench.run("lora", weights: bench.weights, overrides: lora)
        let model = try bench.train(run) { report = $0 }
        #expect(try names(bench.folder("lora/weights.safetensors")) == names(bench.weights))
        #expect(report?.remarks.contains { $0.contains("LoRA of rank 2 on") && $0.contains(" %)") } == true)
        let trained = model.network.namedParameters
        #expect(trained.allSatisfy { !$0.name.contains("lora") && $0.parameter.adapter == nil })
        let before = Dictionary(uniqueKeysWithValues: bench.pretrained.namedParameters.map { ($0.name, $0.parameter) })
        for (name, parameter) in trained where name.hasPrefix("encoder.") {
            // Kernels have low-rank changes; norms and biases none.
            let isKernel = parameter.layout == .convolution
            #expect((parameter.scalars != before[name]?.scalars) == isKernel, "\(name)")
        }
        // What predict reads is what training returned.
        let held = bench.dataset.trainingCases[3]
        let image = try bench.dataset.readImage(held)
        let read = try Ensemble(ofRuns: [bench.folder("lora")], on: cpu).segment(image).labels
        #expect(try Ensemble([model], on: cpu).segment(image).labels == read)
        try CheckpointExport(WeightsFile.read(bench.folder("lora/weights.safetensors")))
            .write(.nnUNet, to: bench.folder("lora.pth"))
    }

    @Test func theChangeOfAKernelHasTheAdaptersRank() throws {
        let bench = try RunBench(cpu)
        let run = try bench.run("lora", weights: bench.weights, overrides: ["adapters={kind: lora, rank: 1}"])
        let model = try bench.train(run)
        let name = "encoder.stages.1.blocks.0.conv2.conv.weight"
        func kernel(_ network: UNet) -> [Float] {
            network.namedParameters.first { $0.name == name }?.parameter.scalars ?? []
        }
        let change = zip(kernel(model.network), kernel(bench.pretrained)).map { Double($0 - $1) }
        // [8, 8 * 27]: rank 1 means that every two rows are parallel.
        let rows = (0..<8).map { Array(change[$0 * 216..<($0 + 1) * 216]) }
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let longest = try #require(rows.max { dot($0, $0) < dot($1, $1) })
        #expect(dot(longest, longest) > 1e-10)
        for row in rows {
            let off = dot(row, row) - dot(row, longest) * dot(row, longest) / dot(longest, longest)
            #expect(off < 1e-3 * dot(longest, longest))
        }
    }

    @Test func residualAdaptersTrainAloneAndArePredictedWith() throws {
        let bench = try RunBench(cpu)
        let run = try bench.run("run", weights: bench.weights, overrides: ["adapters={kind: residual, reduction: 2}"])
        var report: TransferReport?
        let model = try bench.train(run) { report = $0 }
        #expect(report?.remarks.contains { $0.contains("adapters behind 2 residual blocks") } == true)
        let before = Dictionary(uniqueKeysWithValues: bench.pretrained.namedParameters.map { ($0.name, $0.parameter) })
        for (name, parameter) in model.network.namedParameters where name.hasPrefix("encoder.") {
            if name.contains(".adapter.") {
                if name.hasSuffix("up.weight") { #expect(parameter.scalars.contains { $0 != 0 }) }
            } else {
                #expect(parameter.scalars == before[name]?.scalars, "\(name)")
            }
        }
        let image = try bench.dataset.readImage(bench.dataset.trainingCases[3])
        let read = try Ensemble(ofRuns: [bench.folder("run")], on: cpu).segment(image).labels
        #expect(try Ensemble([model], on: cpu).segment(image).labels == read)
        let error = #expect(throws: WeightsFileError.self) {
            try CheckpointExport(WeightsFile.read(bench.folder("run/weights.safetensors")))
                .write(.nnUNet, to: bench.folder("run.pth"))
        }
        #expect(error?.description.contains("adapters") == true)
    }

    @Test(
        "adapters are for pre-trained weights only, and a resumed run ends in the same bits",
        arguments: ["lora", "residual"])
    func reproducible(kind: String) throws {
        let bench = try RunBench(cpu)
        let switched = ["adapters.kind=\(kind)"]
        _ = try bench.train(bench.run("plain", weights: nil))
        _ = try bench.train(bench.run("adapted", weights: nil, overrides: switched))
        let tensors = try ["plain", "adapted"].map {
            try SafetensorsFile.read(bench.folder("\($0)/weights.safetensors")).tensors
        }
        #expect(tensors[0] == tensors[1])
        _ = try bench.train(bench.run("whole", weights: bench.weights, overrides: switched))
        let cut = try bench.run("cut", weights: bench.weights, overrides: switched)
        #expect(throws: TrainingInterrupted.self) { _ = try bench.train(cut, interruptAfter: 4) }
        _ = try bench.train(cut, .resuming)
        #expect(try bench.weightBytes("whole") == bench.weightBytes("cut"))
    }

    @Test func modulesWithoutPretrainedConvolutionsAreRefused() throws {
        let bench = try RunBench(cpu)
        let run = try bench.run(
            "run", weights: bench.weights, overrides: ["adapters={kind: lora, modules: [decoder]}"])
        let error = #expect(throws: FinetuneError.self) { _ = try bench.train(run) }
        #expect(error?.description.contains("decoder") == true && error?.exitCode == 64)
        #expect(!FileManager.default.fileExists(atPath: bench.folder("run")))
    }
}
