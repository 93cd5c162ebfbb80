import Foundation
import Networks
import Pretraining
import Tensors
import Testing
import Training
import WeightFiles

/// What every method must do, whatever it learns.
struct MethodTests {
    private let cpu = CPU(threads: 2)

    @Test("a method learns what one batch asks of it", arguments: PretextMethods.names)
    func learns(method: String) throws {
        // Crops of waves look much alike at first, so that their positions are hard to tell.
        let (steps, rate, fall) = method == "voco" ? (80, 0.01, 0.03) : (25, 0.003, 0.15)
        func losses(_ method: some PretextMethod, _ setup: PretrainingSetup) throws -> [Double] {
            let task = try method.task(setup, data: tinyData(method), on: cpu)
            let (batch, parameters) = (try task.batches.batch(step: 0), task.network.namedParameters)
            var optimizer = Optimizer(Adam())
            return try (0..<steps).map { _ in
                let loss = try task.loss(batch, step: 0).total
                optimizer.step(parameters, gradients: loss.backward(), learningRate: rate)
                return Double(loss.item)
            }
        }
        let recipe = try tinyRecipe(method, steps: 1).0
        let found = try losses(recipe.method, recipe.setup)
        #expect(found[steps - 1] < found[0] - fall * abs(found[0]), "\(found)")
    }

    @Test("a method's page shows what it sees, and its encoder loads", arguments: PretextMethods.names)
    func leavesPageAndWeights(method: String) throws {
        try withFolder { path in
            let recipe = try tinyRecipe(method, steps: 2)
            try pretrain(recipe, at: path, on: cpu)
            #expect(try logged("loss", at: path, as: Double.self).count == 2)
            #expect(try logged("validation", at: path, as: [String: Double].self).last?["validation loss"] != nil)

            let weights = try SafetensorsFile.read("\(path)/weights.safetensors")
            let card = try #require(TransferCard(metadata: weights.metadata))
            #expect(card.method == method && card.patch == recipe.0.setup.patch)
            #expect(card.transferable.first == "encoder")
            let unet = try UNet(card.architecture, on: cpu)
            let report = try unet.load(weights, allowing: .missing(under: "decoder"))
            #expect(report.loaded.filter { $0.hasPrefix("encoder.") }.count == unet.encoder.namedParameters.count)
            #expect(report.untouched.isEmpty == card.transferable.contains("decoder"))

            let page = try String(contentsOfFile: "\(path)/index.html", encoding: .utf8)
            #expect(page.contains("waves9") && page.contains("data:image/png"))
        }
    }

    @Test("an interrupted and resumed run ends in the bits of an undisturbed one", arguments: PretextMethods.names)
    func resumes(method: String) throws {
        try withFolder { folder in
            let recipe = try tinyRecipe(method, steps: 6)
            let (whole, parted) = ("\(folder)/whole", "\(folder)/parted")
            try pretrain(recipe, at: whole, on: cpu)
            #expect(throws: TrainingInterrupted.self) {
                try pretrain(recipe, at: parted, stoppingAfter: 3, on: CPU(threads: 1))
            }
            try pretrain(recipe, at: parted, on: CPU(threads: 1))
            for file in ["model", "optimizer", "task"] {
                let name = "checkpoint/\(file).safetensors"
                let (a, b) = try (SafetensorsFile.read("\(whole)/\(name)"), SafetensorsFile.read("\(parted)/\(name)"))
                #expect(a.tensors == b.tensors, "\(file)")
            }
            #expect(try logged("loss", at: whole, as: Double.self) == logged("loss", at: parted, as: Double.self))
        }
    }

    @Test("a batch that may be divided is the mean of its samples, each drawn alone", arguments: PretextMethods.names)
    func divides(method: String) throws {
        let recipe = try tinyRecipe(method, steps: 1).0
        func losses(_ method: some PretextMethod, _ setup: PretrainingSetup) throws -> (whole: Float, mean: Float)? {
            let task = try method.task(setup, data: tinyData(method), on: cpu)
            guard task.undividedBecause == nil else { return nil }
            let samples = task.batches.samplesPerStep
            #expect(samples == 2)
            let parts = try (0..<samples).map {
                try task.loss(task.batches.batch(step: 3, samples: $0..<$0 + 1), step: 3).total.item
            }
            return (
                try task.loss(task.batches.batch(step: 3), step: 3).total.item, parts.reduce(0, +) / Float(samples)
            )
        }
        let divides = ["s3d", "mae", "genesis", "volume-fusion", "med3d"].contains(method)
        let found = try losses(recipe.method, recipe.setup)
        #expect((found != nil) == divides)
        if let found { #expect(abs(found.whole - found.mean) < 2e-5 * abs(found.whole), "\(found)") }
    }

    @Test("recomputing changes no loss and no gradient but by rounding", arguments: PretextMethods.names)
    func recomputes(method: String) throws {
        func gradients(_ method: some PretextMethod, _ setup: PretrainingSetup) throws -> [[Float]] {
            let task = try method.task(setup, data: tinyData(method), on: cpu)
            let found = try task.loss(task.batches.batch(step: 0), step: 0).total.backward()
            return task.network.namedParameters.map { found[$0.parameter]?.scalars ?? [] }
        }
        let (kept, recomputed) = (
            try tinyRecipe(method, steps: 1).0, try tinyRecipe(method, steps: 1, "memory.recompute=true").0
        )
        #expect(!kept.setup.recomputes && recomputed.setup.recomputes)
        let pair = (
            try gradients(kept.method, kept.setup), try gradients(recomputed.method, recomputed.setup)
        )
        for (a, b) in zip(pair.0, pair.1) {
            let scale = a.map(abs).max() ?? 0
            #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-4 * scale + 1e-7 })
        }
    }

    /// Everything that is drawn is a function of the step, so batches need no state.
    @Test("losses of steps do not depend on the steps before", arguments: PretextMethods.names)
    func isFunctionOfTheStep(method: String) throws {
        func losses(_ method: some PretextMethod, _ setup: PretrainingSetup, _ steps: [Int]) throws -> [Float] {
            let task = try method.task(setup, data: tinyData(method), on: cpu)
            return try steps.map { try task.loss(try task.batches.batch(step: $0), step: $0).total.item }
        }
        let recipe = try tinyRecipe(method, steps: 3).0
        let forward = try losses(recipe.method, recipe.setup, [0, 1, 2])
        #expect(try losses(recipe.method, recipe.setup, [2, 0, 1]) == [forward[2], forward[0], forward[1]])
        #expect(Set(forward).count == 3)
    }
}
