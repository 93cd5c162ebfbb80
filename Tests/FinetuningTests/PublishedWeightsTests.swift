import Finetuning
import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

@Suite("Fine-tuning from weights that other tools publish")
struct PublishedWeightsTests {
    private let cpu = CPU(threads: 2)
    private let folder: TemporaryFolder
    private let dataset: NNUNetDataset

    init() throws {
        folder = try TemporaryFolder()
        dataset = try Phantom.smallDataset(in: folder, cases: 3, on: cpu)
    }

    /// A file as its publisher writes it, small.
    enum Source: String, CaseIterable {
        case medicalNet, genesis, planar

        /// Tensors under the publisher's names.
        func tensors(on cpu: CPU) throws -> [String: StoredTensor] {
            let shape = ResNetShape(blocks: [1, 1, 1, 1], hasBottlenecks: false, shortcut: .projected, width: 4)
            let network: any Module =
                switch self {
                case .medicalNet: MedicalNetResNet(ResNetPlan(shape, headWidth: 2, outputChannels: 2), on: cpu)
                case .genesis: GenesisUNet(width: 2, on: cpu)
                case .planar: ResNetEncoder(shape, inputChannels: 3, on: cpu)
                }
            Initializer.pytorchDefault.initialize(network, seed: 9)
            var draws = Draws(seed: 1, purpose: "buffers")
            for (_, buffer) in network.namedBuffers {
                buffer.scalars = buffer.scalars.map { _ in Float(draws.uniform(in: 0.5..<2).rounded()) }
            }
            let tensors = network.storedTensors(everyAlias: false)
            guard self == .planar else { return tensors }
            return try tensors.mapValues { tensor in
                guard tensor.shape.count == 5 else { return tensor }
                let planar = tensor.shape.prefix(3) + tensor.shape.suffix(1)
                return StoredTensor(
                    Array(try tensor.floats().prefix(planar.reduce(1, *))), shape: Array(planar))
            }
        }

        /// What becomes of a tensor's name in the network.
        func name(_ theirs: String) -> String? {
            switch self {
            case .medicalNet, .planar: theirs.hasPrefix("conv_seg.") ? nil : "encoder.\(theirs)"
            case .genesis: theirs.hasPrefix("down") ? "encoder.\(theirs)" : "decoder.\(theirs)"
            }
        }
    }

    private func write(_ source: Source) throws -> String {
        let prefix = source == .planar ? "" : "module."
        let tensors = try source.tensors(on: cpu).sorted { $0.key < $1.key }.map { name, tensor in
            (key: prefix + name, value: PyTorchContent.tensor(tensor, storage: name))
        }
        let path = folder("\(source.rawValue).pth")
        try PyTorchFile.write(.dictionary([("state_dict", .dictionary(tensors))]), to: path)
        return path
    }

    private func run(_ name: String, from weights: String?, _ overrides: String...) throws -> FinetuneRun {
        let text = """
            plan: {patch: 32, batch: 1, spacing_mm: [2, 2, 2], preset: of-weights}
            schedule:
              stages: [{steps: 2, shape: poly, peak: 0.01, trains: [decoder]}, {steps: 2, shape: poly, peak: 0.01}]
            scratch: {stages: [{steps: 2, shape: poly, peak: 0.01}]}
            patches: {augmentation: none}
            prediction: {mirroring: false, validation_cases: 0}
            run: {checkpoint_steps: 1, checkpoint_minutes: none, validation_interval: none}
            """
        let recipe = try RecipeDocument.parse(text, overrides: overrides).resolve(FinetuneRecipe.init(reading:))
        let names = dataset.trainingCases.map(\.name)
        return FinetuneRun(
            dataset: dataset, trainingCases: Array(names[..<2]), weights: weights, recipe: recipe,
            folder: folder(name), on: cpu)
    }

    private let decoderOnly = "schedule.stages=[{steps: 2, shape: poly, peak: 0.01, trains: [decoder]}]"

    @Test(
        "the trained network has the encoder of the file, and keeps it while it is frozen", arguments: Source.allCases)
    func encoder(source: Source) throws {
        let run = try run("run", from: write(source), decoderOnly)
        var (report, progress) = (TransferReport?.none, Training.Progress.silent)
        let model = try run.train(progress: &progress) { report = $0 }
        let trained = model.network.storedTensors(everyAlias: false)
        let theirs = try source.tensors(on: cpu)
        for (name, tensor) in theirs {
            guard let ours = source.name(name), ours.hasPrefix("encoder.") else { continue }
            let found = try #require(trained[ours], "\(ours)").doubles()
            if source == .planar && tensor.shape.count == 4 {
                // Each of the k slices has a k-th; of the first convolution the three colours are added up.
                let (inputs, taps) = (tensor.shape[1], tensor.shape[2] * tensor.shape[3])
                let first = (name == "conv1.weight" ? [0, 1, 2] : [0]).reduce(0.0) {
                    $0 + tensor.doubles()[$1 * taps]
                }
                #expect(abs(found[0] - first / Double(tensor.shape[2])) < 1e-6, "\(ours)")
                #expect(found.count == tensor.count * tensor.shape[2] / (name == "conv1.weight" ? inputs : 1))
            } else {
                #expect(found == tensor.doubles(), "\(ours)")
            }
        }
        // Every tensor of the file and of the network is accounted for.
        let told = try #require(report)
        #expect(Set(told.taken).isSuperset(of: trained.keys.filter { $0.hasPrefix("encoder.") }))
        #expect(Set(told.taken + told.untouched) == Set(trained.keys))
        #expect(told.taken.count + told.skipped.count == theirs.count)
        #expect((source == .planar) == !told.reshaped.isEmpty)

        // What was trained is what a later process opens, shows and goes on from.
        let held = dataset.trainingCases[2]
        let image = try dataset.readImage(held)
        let opened = try Ensemble(ofRuns: [run.folder], on: cpu)
        #expect(try opened.segment(image).labels == Ensemble([model], on: cpu).segment(image).labels)
        let file = try WeightsFile.read("\(run.folder)/weights.safetensors")
        #expect(file.plan?.hasKindOfEncoder(of: model.network.plan) == true)
        var again = try self.run("again", from: "\(run.folder)/weights.safetensors", "transfer=encoder+decoder")
        again.trainingCases.removeLast()
        try again.train(progress: &progress)
        let error = #expect(throws: WeightsFileError.self) { try CheckpointExport(file) }
        #expect(error?.description.contains("no network on it") == true)
    }

    @Test("interrupted and resumed it ends in the same bits", arguments: Source.allCases)
    func resumed(source: Source) throws {
        let weights = try write(source)
        var progress = Training.Progress.silent
        try run("whole", from: weights).train(progress: &progress)
        let interruption = Interruption()
        var seconds = 0.0
        var stopping = Training.Progress(
            "test", total: 4, unit: "step", isTerminal: true, write: { _ in interruption.request() },
            now: {
                seconds += 1
                return seconds
            })
        let cut = try run("cut", from: weights)
        #expect(throws: TrainingInterrupted.self) {
            try cut.train(interruption: interruption, progress: &stopping)
        }
        try cut.train(.resuming, progress: &progress)
        let files = try ["whole", "cut"].map {
            try Data(contentsOf: URL(filePath: folder("\($0)/weights.safetensors")))
        }
        #expect(files[0] == files[1])
    }

    @Test func ofModelsGenesisTheDecoderComesAlongOnRequest() throws {
        let run = try run("run", from: write(.genesis), "transfer=encoder+decoder")
        var (report, progress) = (TransferReport?.none, Training.Progress.silent)
        try run.train(progress: &progress) { report = $0 }
        let told = try #require(report)
        #expect(told.taken.contains("decoder.up_tr64.up_conv.weight"))
        #expect(!told.taken.contains { $0.hasPrefix("decoder.out_tr.") })
        #expect(
            told.untouched.filter { $0.hasPrefix("decoder.") }.allSatisfy {
                $0.contains("seg_layers") || $0.contains("out_tr")
            })
    }

    @Test("images can be prepared as the publisher did")
    func likePretrained() throws {
        let expected: [(Source, Normalization)] = [
            (.medicalNet, .clippedZScore), (.genesis, .window(lower: -1000, upper: 1000)),
            (.planar, .zScore(insideOnly: false)),
        ]
        for (source, normalization) in expected {
            let run = try run(source.rawValue, from: write(source), "plan.preprocessing=like-pretrained", decoderOnly)
            var progress = Training.Progress.silent
            let plan = try run.train(progress: &progress).card.plan
            #expect(plan.spacingMM == [nil, nil, nil] && plan.channels.map(\.normalization) == [normalization])
            // The weights that come out tell the same.
            let card = try WeightsFile.read("\(run.folder)/weights.safetensors").card
            #expect(card?.normalization == [normalization.cardName] && card?.spacingMM == [0, 0, 0])
        }
    }

    @Test("what cannot be is refused with a way out")
    func refusals() throws {
        let weights = try write(.medicalNet)
        var error = #expect(throws: FinetuneError.self) {
            try run("a", from: weights, "plan.preset=resenc-xs").checkWeights()
        }
        #expect(error?.description.contains("of-weights") == true && error?.exitCode == 65)
        error = #expect(throws: FinetuneError.self) {
            var progress = Training.Progress.silent
            try run("b", from: nil).train(progress: &progress)
        }
        #expect(error?.description.contains("--init") == true && error?.exitCode == 64)
        #expect(throws: NetworkPlanError.self) { try run("c", from: weights, "plan.patch=20").checkWeights() }
        try SafetensorsFile.write(["a": StoredTensor(scalar: Float(1))], to: folder("a.safetensors"))
        #expect(throws: FinetuneError.self) { try run("d", from: folder("a.safetensors")).checkWeights() }
    }
}
