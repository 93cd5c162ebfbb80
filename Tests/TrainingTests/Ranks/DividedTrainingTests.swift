import Foundation
import Networks
import Ranks
import Tensors
import Testing
import Training
import WeightFiles

/// What a batch comes to must not depend on how it is divided.
struct DividedTrainingTests {
    /// A training on some ranks, which are threads here; returns what the first one logged.
    @discardableResult
    private func train(
        ranks: Int, microBatch: Int? = nil, samples: Int = 4, in folder: String, resuming: Bool = false,
        stoppingAt stop: Int? = nil
    ) throws -> [LogEntry] {
        let resolved = try TrainingLoopTests.recipe()
        let errors = try ThreadRanks.run(ranks) { ranks -> TrainingInterrupted? in
            let task = TinyTask(threads: 1, samples: samples)
            var recipe = TrainingRecipe.tiny()
            recipe.microBatch = microBatch
            let interruption = Interruption()
            // One rank is asked to stop; all do.
            task.atStep = { if $0 == stop, ranks.rank == ranks.count - 1 { interruption.request() } }
            let run = try ranks.firstThenOthers {
                try !ranks.isFirst
                    ? RunDirectory.follow(folder, recipe: resolved)
                    : resuming ? .resume(folder, recipe: resolved) : .create(folder, recipe: resolved)
            }
            var progress = Progress.silent
            do {
                var loop = try TrainingLoop(task, recipe: recipe, in: run, ranks: ranks)
                try loop.train(interruption: interruption, progress: &progress)
                return nil
            } catch let error as TrainingInterrupted { return error }
        }
        #expect(errors.allSatisfy { ($0 != nil) == (stop != nil) })
        return try RunLog.read("\(folder)/log.jsonl").filter { $0.loss != nil }
    }

    private func weights(_ folder: String) throws -> [Float] {
        let file = try SafetensorsFile.read("\(folder)/checkpoint/model.safetensors")
        return try file.tensors.keys.sorted().flatMap { try file.tensor($0).floats() }
    }

    private func expectClose(_ a: [Float], _ b: [Float], _ tolerance: Float = 2e-6) {
        #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) })
    }

    @Test(
        "losses and weights are those of the undivided batch, to rounding",
        arguments: [(1, 1), (1, 2), (2, nil), (3, nil), (4, nil), (2, 1), (3, 1), (2, 2)] as [(Int, Int?)])
    func equalsTheWhole(ranks: Int, microBatch: Int?) throws {
        let folder = try TemporaryFolder()
        let whole = try train(ranks: 1, in: folder("whole"))
        let divided = try train(ranks: ranks, microBatch: microBatch, in: folder("divided"))
        #expect(divided.count == 12 && divided.map(\.step) == whole.map(\.step))
        for (a, b) in zip(divided, whole) {
            #expect(abs(a.loss! - b.loss!) < 1e-6 * abs(b.loss!))
            #expect(abs(a.parts!["squares"]! - b.parts!["squares"]!) < 1e-6 * b.parts!["squares"]!)
            #expect(abs(a.gradientNorm! - b.gradientNorm!) < 1e-5 * b.gradientNorm!)
        }
        try expectClose(weights(folder("divided")), weights(folder("whole")))
    }

    @Test("the same micro-batches give the same bits on one, two and four ranks, and in every run")
    func sameBits() throws {
        let folder = try TemporaryFolder()
        let one = try train(ranks: 1, microBatch: 1, in: folder("one"))
        let expected = try Data(contentsOf: URL(filePath: folder("one/weights.safetensors")))
        for (name, ranks) in [("two", 2), ("four", 4), ("again", 4)] {
            let log = try train(ranks: ranks, microBatch: 1, in: folder(name))
            #expect(log.map(\.gradientNorm) == one.map(\.gradientNorm))
            #expect(try Data(contentsOf: URL(filePath: folder("\(name)/weights.safetensors"))) == expected)
        }
    }

    @Test("a run that one rank was asked to stop goes on with another number of ranks", arguments: [1, 2, 4])
    func resumes(ranks: Int) throws {
        let folder = try TemporaryFolder()
        let whole = try train(ranks: 2, microBatch: 1, in: folder("whole"))
        try train(ranks: 2, microBatch: 1, in: folder("parted"), stoppingAt: 6)
        let resumed = try train(ranks: ranks, microBatch: 1, in: folder("parted"), resuming: true)
        #expect(resumed.map(\.gradientNorm) == whole.map(\.gradientNorm))
        #expect(try weights(folder("parted")) == weights(folder("whole")))
    }

    @Test("a batch that cannot be divided is refused, not changed")
    func refuses() throws {
        let folder = try TemporaryFolder()
        func start(_ task: TinyTask, microBatch: Int?) throws {
            var recipe = TrainingRecipe.tiny()
            recipe.microBatch = microBatch
            _ = try TrainingLoop(
                task, recipe: recipe, in: .follow(folder.path, recipe: TrainingLoopTests.recipe()))
        }
        let coupled = TinyTask(samples: 4, undividedBecause: "rows are compared")
        #expect(throws: TrainingError.undividable(reason: "rows are compared", microBatch: 2, ranks: 1)) {
            try start(coupled, microBatch: 2)
        }
        try start(coupled, microBatch: 4)
        #expect(throws: TrainingError.unevenBatch(samples: 3, microBatch: 2, ranks: 1)) {
            try start(TinyTask(), microBatch: 2)
        }
        #expect(throws: TrainingError.unevenBatch(samples: 3, microBatch: nil, ranks: 4)) {
            try BatchDivision(samples: 3, rank: 0, ranks: 4)
        }
    }

    @Test("the shares of all ranks are the batch", arguments: [1, 2, 3, 5])
    func division(ranks: Int) throws {
        for microBatch in [nil, 1, 2] as [Int?] {
            let parts = try (0..<ranks).flatMap {
                try BatchDivision(samples: 10, microBatch: microBatch, rank: $0, ranks: ranks).parts
            }
            #expect(parts.flatMap(Array.init) == Array(0..<10))
            #expect(microBatch == nil || parts.allSatisfy { $0.count == microBatch })
        }
    }

    @Test(
        "rates follow the batch as the rule says",
        arguments: [(RateScaling.Rule.none, 1.0), (.linear, 4), (.squareRoot, 2)])
    func rateScaling(rule: RateScaling.Rule, expected: Double) throws {
        #expect(RateScaling(rule, referenceBatch: 2).factor(batch: 8) == expected)
        let folder = try TemporaryFolder()
        let resolved = try TrainingLoopTests.recipe()
        var recipe = TrainingRecipe.tiny()
        recipe.rateScaling = RateScaling(rule, referenceBatch: 1)
        var loop = try TrainingLoop(
            TinyTask(samples: 4), recipe: recipe, in: .create(folder("run"), recipe: resolved))
        var progress = Progress.silent
        try loop.train(progress: &progress)
        // The last of four steps of the warm-up has the peak's rate.
        let rate = try #require(RunLog.read(folder("run/log.jsonl")).first { $0.step == 3 }?.learningRate)
        #expect(abs(rate - 0.05 * expected) < 1e-12)
    }
}
