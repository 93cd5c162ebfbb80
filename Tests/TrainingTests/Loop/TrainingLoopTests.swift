import Dispatch
import Foundation
import Networks
import Synchronization
import Tensors
import Testing
import Training
import WeightFiles

struct TrainingLoopTests {
    static func recipe(_ seed: Int = 1) throws -> ResolvedRecipe {
        try RecipeDocument.parse("seed: \(seed)\nmasking:\n  ratio: 0.5").resolve { section in
            _ = try section.integer("seed")
            _ = try section.section("masking").double("ratio")
        }.1
    }

    /// Trains in `folder` to the end, or until something is thrown.
    static func train(
        _ task: TinyTask, in folder: String, resuming: Bool = false, recipe: TrainingRecipe = .tiny(),
        interruption: Interruption = Interruption()
    ) throws {
        let run =
            resuming
            ? try RunDirectory.resume(folder, recipe: Self.recipe())
            : try RunDirectory.create(folder, recipe: Self.recipe())
        var loop = try TrainingLoop(task, recipe: recipe, in: run)
        var progress = Progress.silent
        try loop.train(interruption: interruption, progress: &progress)
    }

    /// What must not depend on interruptions: weights, losses, learning rates, norms, validations.
    static func expectSameRun(_ folder: TemporaryFolder, _ first: String, _ second: String) throws {
        let weights = try [first, second].map {
            try Data(contentsOf: URL(filePath: folder("\($0)/weights.safetensors")))
        }
        #expect(weights[0] == weights[1])
        let logs = try [first, second].map { name in
            try RunLog.read(folder("\(name)/log.jsonl")).map { entry in
                var entry = entry
                entry.seconds = nil
                entry.validation?["undefined"] = nil
                return entry
            }
        }
        #expect(logs[0] == logs[1])
        #expect(logs[0].filter { $0.loss != nil }.map(\.step) == Array(0..<12))
        #expect(logs[0].filter { $0.validation != nil }.map(\.step) == [4, 9, 11])
    }

    @Test(arguments: [SGD(momentum: 0.9), Adam(weightDecay: 0.1)] as [any UpdateRule])
    func anInterruptedRunEndsInTheSameBits(rule: any UpdateRule) throws {
        let folder = try TemporaryFolder()
        try Self.train(TinyTask(), in: folder("whole"), recipe: .tiny(rule: rule))

        let (task, interruption) = (TinyTask(), Interruption())
        task.atStep = { if $0 == 4 { interruption.request() } }
        let interrupted = #expect(throws: TrainingInterrupted.self) {
            try Self.train(task, in: folder("cut"), recipe: .tiny(rule: rule), interruption: interruption)
        }
        #expect(interrupted?.steps == 5 && interrupted?.exitCode == 130)
        #expect(!FileManager.default.fileExists(atPath: folder("cut/weights.safetensors")))
        let resumed = TinyTask(threads: 1)
        try Self.train(resumed, in: folder("cut"), resuming: true, recipe: .tiny(rule: rule, ahead: 0))
        try Self.expectSameRun(folder, "whole", "cut")
        #expect(resumed.updates == 12, "the task's own state is kept")
    }

    @Test(arguments: [1, 3, 5, 8, 11])
    func aKilledRunEndsInTheSameBits(step: Int) throws {
        let folder = try TemporaryFolder()
        try Self.train(TinyTask(), in: folder("whole"))
        let task = TinyTask()
        task.atStep = { if $0 == step { throw TinyTask.Killed() } }
        #expect(throws: TinyTask.Killed.self) { try Self.train(task, in: folder("killed")) }

        // What a kill in the middle of a write leaves.
        try FileManager.default.createDirectory(
            atPath: folder("killed/checkpoint.partial"), withIntermediateDirectories: true)
        let log = try FileHandle(forUpdating: URL(filePath: folder("killed/log.jsonl")))
        try log.seekToEnd()
        try log.write(contentsOf: Data("{\"step\":99,\"lo".utf8))
        try log.close()

        try Self.train(TinyTask(), in: folder("killed"), resuming: true)
        try Self.expectSameRun(folder, "whole", "killed")
        #expect(!FileManager.default.fileExists(atPath: folder("killed/checkpoint.partial")))
    }

    @Test func trainingLearns() throws {
        let folder = try TemporaryFolder()
        try Self.train(TinyTask(), in: folder("run"))
        let losses = try RunLog.read(folder("run/log.jsonl")).compactMap(\.loss)
        #expect(losses.suffix(3).reduce(0, +) < losses.prefix(3).reduce(0, +))
    }

    @Test func aFinishedRunMayBeResumedWithoutEffect() throws {
        let folder = try TemporaryFolder()
        try Self.train(TinyTask(), in: folder("run"))
        let before = try Data(contentsOf: URL(filePath: folder("run/log.jsonl")))
        try Self.train(TinyTask(), in: folder("run"), resuming: true)
        #expect(try Data(contentsOf: URL(filePath: folder("run/log.jsonl"))) == before)
    }

    @Test(arguments: [(Float.nan, "loss"), (.infinity, "loss"), (1e30, "norm of the gradients")])
    func whatIsNoNumberStopsTheRun(scale: Float, what: String) throws {
        let folder = try TemporaryFolder()
        let task = TinyTask()
        task.lossScale = { $0 == 7 ? scale : 1 }
        let error = #expect(throws: TrainingError.self) { try Self.train(task, in: folder("run")) }
        let text = try #require(error?.description)
        #expect(text.contains("step 7: the \(what) is ") && text.contains("case_7, case_8"), "\(text)")
        #expect(error?.exitCode == 65)
        let kept = try String(contentsOfFile: folder("run/checkpoint/state.json"), encoding: .utf8)
        #expect(kept.contains("\"steps\" : 6"), "\(kept)")
    }

    @Test("weights that are no longer numbers are never saved, not even after the last step", arguments: [2, 11])
    func divergedWeights(step: Int) throws {
        let folder = try TemporaryFolder()
        let task = TinyTask()
        // A step that the loss of no later step has judged: the next thing is the checkpoint, or the end.
        task.afterUpdate = { [network = task.network] in
            if $0 == step { network.namedParameters[0].parameter.update { $0[3] = .infinity } }
        }
        let error = #expect(throws: TrainingError.self) { try Self.train(task, in: folder("run")) }
        let text = try #require(error?.description)
        #expect(text.contains("step \(step + 1): the norm of encoder.weight is inf"), "\(text)")
        #expect(text.contains(step == 2 ? "there is no checkpoint yet" : "run/checkpoint has the weights of step 9"))
        #expect(!FileManager.default.fileExists(atPath: folder("run/weights.safetensors")))
        if step == 11 {
            let kept = try SafetensorsFile.read(folder("run/checkpoint/model.safetensors"))
            #expect(try kept.tensors.values.allSatisfy { try $0.floats().allSatisfy(\.isFinite) })
        }
    }

    @Test("a step whose gradients were shortened says by how much, and the page counts them")
    func clipping() throws {
        let folder = try TemporaryFolder()
        var recipe = TrainingRecipe.tiny()
        recipe.clipNorm = 0.5
        try Self.train(TinyTask(), in: folder("run"), recipe: recipe)
        let steps = try RunLog.read(folder("run/log.jsonl")).filter { $0.gradientNorm != nil }
        for entry in steps {
            let norm = try #require(entry.gradientNorm)
            if norm > 0.5 {
                #expect(abs(try #require(entry.clipping) * norm - 0.5) < 1e-5)
            } else {
                #expect(entry.clipping == nil)
            }
        }
        let clipped = steps.count { $0.clipping != nil }
        #expect(clipped > 0)
        let page = try String(contentsOfFile: folder("run/index.html"), encoding: .utf8)
        #expect(page.contains("Clipped in \(clipped) of 12 logged steps."))
    }

    @Test("a flipped bit in a checkpoint is reported with its file and never trained on")
    func bitRot() throws {
        let folder = try TemporaryFolder()
        let (task, interruption) = (TinyTask(), Interruption())
        task.atStep = { if $0 == 4 { interruption.request() } }
        #expect(throws: TrainingInterrupted.self) {
            try Self.train(task, in: folder("run"), interruption: interruption)
        }
        let checkpoint = folder("run/checkpoint")
        try RunDirectory.verifyCheckpoint(checkpoint)
        for name in try FileManager.default.contentsOfDirectory(atPath: checkpoint) {
            let url = URL(filePath: "\(checkpoint)/\(name)")
            let bytes = try Data(contentsOf: url)
            for place in bytes.indices {
                var damaged = bytes
                damaged[place] ^= 1 << UInt8(place % 7)
                try damaged.write(to: url)
                let error = try #require(throws: (any Error).self) { try RunDirectory.verifyCheckpoint(checkpoint) }
                #expect("\(error)".contains(checkpoint), "byte \(place) of \(name)")
                if place % 97 == 0 {
                    #expect(throws: (any Error).self) { try Self.train(TinyTask(), in: folder("run"), resuming: true) }
                }
            }
            try bytes.write(to: url)
        }
        // Whole files of another checkpoint do not fit either.
        try Self.train(TinyTask(), in: folder("other"))
        try FileManager.default.removeItem(atPath: "\(checkpoint)/optimizer.safetensors")
        try FileManager.default.copyItem(
            atPath: folder("other/checkpoint/optimizer.safetensors"), toPath: "\(checkpoint)/optimizer.safetensors")
        let error = #expect(throws: TrainingError.self) {
            try Self.train(TinyTask(), in: folder("run"), resuming: true)
        }
        #expect(error?.description.contains("optimizer.safetensors") ?? false)
    }

    @Test("who reads a checkpoint while it is replaced finds it whole")
    func reading() throws {
        let folder = try TemporaryFolder()
        var recipe = TrainingRecipe.tiny()
        recipe.checkpointSteps = 1
        try Self.train(TinyTask(), in: folder("run"), recipe: recipe)
        let checkpoint = folder("run/checkpoint")
        final class Found: Sendable {
            let damage = Mutex<(any Error)?>(nil)
        }
        let (end, found) = (Interruption(), Found())
        let reader = DispatchGroup()
        reader.enter()
        Thread.detachNewThread {
            while !end.isRequested {
                do { try RunDirectory.verifyCheckpoint(checkpoint) } catch { found.damage.withLock { $0 = error } }
            }
            reader.leave()
        }
        // Resuming a finished run saves it once more.
        for _ in 0..<30 { try Self.train(TinyTask(), in: folder("run"), resuming: true, recipe: recipe) }
        end.request()
        reader.wait()
        if let error = found.damage.withLock({ $0 }) { Issue.record("\(error)") }
    }

    @Test func stagesFreezeAndFree() throws {
        let folder = try TemporaryFolder()
        let task = TinyTask()
        let start = task.network.storedTensors(everyAlias: false)
        var atStageEnd: [String: StoredTensor] = [:]
        task.atStep = { [network = task.network] in if $0 == 4 { atStageEnd = network.storedTensors(everyAlias: false) }
        }
        try Self.train(task, in: folder("run"))
        let end = task.network.storedTensors(everyAlias: false)
        #expect(atStageEnd["encoder.weight"] == start["encoder.weight"])
        #expect(atStageEnd["decoder.weight"] != start["decoder.weight"])
        #expect(end["encoder.weight"] != start["encoder.weight"])
        let stages = try RunLog.read(folder("run/log.jsonl")).compactMap(\.stage)
        #expect(stages == Array(repeating: "rise", count: 4) + Array(repeating: "main", count: 8))
        let optimizer = try SafetensorsFile.read(folder("run/checkpoint/optimizer.safetensors"))
        #expect(try optimizer.tensor("decoder.weight/updates").integers() == [8], "a new optimizer at the second stage")
    }

    @Test func whatTheTaskFrozeStaysFrozen() throws {
        let folder = try TemporaryFolder()
        let task = TinyTask()
        task.network.namedParameters[1].parameter.isTrainable = false
        let start = task.network.storedTensors(everyAlias: false)["decoder.weight"]
        let all = Schedule([.init(steps: 3, shape: .constant, peak: 0.1)])
        try Self.train(task, in: folder("run"), recipe: TrainingRecipe(schedule: all))
        #expect(task.network.storedTensors(everyAlias: false)["decoder.weight"] == start)
    }

    @Test func theRunHoldsEverything() throws {
        let folder = try TemporaryFolder()
        try Self.train(TinyTask(), in: folder("run"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder("run")).sorted()
        #expect(
            names == [
                "checkpoint", "events.out.tfevents.warmstart", "index.html", "log.jsonl", "recipe.yaml",
                "weights.safetensors",
            ])
        let weights = try SafetensorsFile.read(folder("run/weights.safetensors"))
        #expect(weights.tensors.keys.sorted() == ["decoder.encoder.weight", "decoder.weight", "encoder.weight"])
        #expect(TransferCard(metadata: weights.metadata) == TinyTask().card)
        let page = try String(contentsOfFile: folder("run/index.html"), encoding: .utf8)
        for word in ["<svg", "data:image/png;base64,", "masking.ratio", "a &lt;slice&gt;", "12 of 12 steps"] {
            #expect(page.contains(word), "\(word)")
        }
        let elsewhere = page.replacing("http://www.w3.org/2000/svg", with: "")
        #expect(!elsewhere.contains("http") && !elsewhere.contains("<script"), "the page needs no other file")
    }
}

struct RunDirectoryTests {
    @Test func aFolderInUseIsNotOverwritten() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("precious", to: folder("file"))
        #expect(throws: TrainingError.runExists(path: folder.path)) {
            try RunDirectory.create(folder.path, recipe: TrainingLoopTests.recipe())
        }
        #expect(throws: TrainingError.noRun(path: folder.path)) {
            try RunDirectory.resume(folder.path, recipe: TrainingLoopTests.recipe())
        }
        #expect(folder.names == ["file"])
    }

    @Test("what a process leaves that is killed before it wrote the recipe is no run, and in nobody's way")
    func killedAtOnce() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder("run"), withIntermediateDirectories: true)
        try Data("see".utf8).write(to: URL(filePath: folder("run/.recipe.yaml.123.partial")))
        try Data("{".utf8).write(to: URL(filePath: folder("run/\(FolderLock.fileName)")))
        let run = try RunDirectory.create(folder("run"), recipe: TrainingLoopTests.recipe())
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: run.path).sorted()
                == [FolderLock.fileName, "recipe.yaml"])
    }

    @Test("of two that begin at once one does")
    func race() async throws {
        let folder = try TemporaryFolder()
        let (path, recipe) = (folder("run"), try TrainingLoopTests.recipe())
        let begun = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    guard let run = try? RunDirectory.create(path, recipe: recipe) else { return false }
                    try? await Task.sleep(for: .milliseconds(50))
                    return withExtendedLifetime(run) { true }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(begun == 1)
    }

    @Test func anotherRecipeIsRefusedByItsFirstKey() throws {
        let folder = try TemporaryFolder()
        _ = try RunDirectory.create(folder("run"), recipe: TrainingLoopTests.recipe(1))
        let error = #expect(throws: TrainingError.self) {
            try RunDirectory.resume(folder("run"), recipe: TrainingLoopTests.recipe(2))
        }
        #expect(error == .otherRecipe(path: folder("run"), key: "seed", there: "1", here: "2"))
        #expect(error?.exitCode == 64)
    }

    @Test func twoProcessesDoNotTrainInOneFolder() throws {
        let folder = try TemporaryFolder()
        let run = try RunDirectory.create(folder("run"), recipe: TrainingLoopTests.recipe())
        for start in [RunDirectory.resume, RunDirectory.create] {
            let error = #expect(throws: FolderInUse.self) { try start(run.path, TrainingLoopTests.recipe()) }
            #expect(error?.holder.hasPrefix("process \(getpid()) on ") ?? false)
        }
        withExtendedLifetime(run) {}
    }
}

@Suite(.serialized)
struct InterruptionTests {
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func signalsRequestIt(number: Int32) {
        let wasRequested = Interruption.bySignals { interruption in
            #expect(!interruption.isRequested)
            kill(getpid(), number)
            for _ in 0..<2000 where !interruption.isRequested { usleep(1000) }
            return interruption.isRequested
        }
        #expect(wasRequested)
    }

    @Test(
        "a stage that names no module, or trains nothing, is refused before the first step",
        arguments: [.only(["decodr"]), .except(["encodr"]), .except(["encoder", "decoder"])] as [TrainableParameters])
    func misspelledStages(trains: TrainableParameters) throws {
        let folder = try TemporaryFolder()
        var recipe = TrainingRecipe.tiny()
        recipe.schedule.stages[0].trains = trains
        #expect(throws: TrainingError.self) {
            try TrainingLoopTests.train(TinyTask(), in: folder("run"), recipe: recipe)
        }
    }

    @Test("a checkpoint of another precision is not resumed")
    func otherPrecision() throws {
        let folder = try TemporaryFolder()
        let (task, interruption) = (TinyTask(), Interruption())
        task.atStep = { if $0 == 4 { interruption.request() } }
        #expect(throws: TrainingInterrupted.self) {
            try TrainingLoopTests.train(task, in: folder("cut"), interruption: interruption)
        }
        let error = #expect(throws: TrainingError.self) {
            try TrainingLoopTests.train(TinyTask(precision: .bfloat16), in: folder("cut"), resuming: true)
        }
        #expect(error?.description.contains("computed in float32") ?? false)
    }
}
