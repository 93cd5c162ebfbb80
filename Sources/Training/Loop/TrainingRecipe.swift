/// How a network is trained, whatever it learns: optimizer, learning rates, and what is logged and saved when.
public struct TrainingRecipe: Sendable {
    /// The arithmetic of a step.
    public var rule: any UpdateRule
    /// Learning rates and what trains.
    public var schedule: Schedule
    /// How learning rates follow the batch.
    public var rateScaling: RateScaling
    /// The largest norm of all gradients together; longer ones are shortened. `nil`: no limit.
    public var clipNorm: Double?
    /// Steps between two lines of the log.
    public var logInterval: Int
    /// Steps between two validations; there is one at the end in any case. `nil`: none but that.
    public var validationInterval: Int?
    /// Steps between two checkpoints. `nil`: by time only.
    public var checkpointSteps: Int?
    /// Minutes between two checkpoints. `nil`: by steps only.
    public var checkpointMinutes: Double?
    /// Batches that are made ahead of the step that computes.
    public var batchesAhead: Int
    /// Samples that go through the network at once; nil: the whole batch, or a rank's share of it. Gradients are the
    /// batch's, to the rounding of sums.
    public var microBatch: Int?
    /// Whether networks keep less and compute it again for the gradients, see `Phase.recomputing`.
    public var recomputes: Bool

    /// A recipe.
    public init(
        rule: any UpdateRule = SGD(), schedule: Schedule, clipNorm: Double? = 12, logInterval: Int = 1,
        validationInterval: Int? = nil, checkpointSteps: Int? = nil, checkpointMinutes: Double? = 10,
        batchesAhead: Int = 2, rateScaling: RateScaling = .none, microBatch: Int? = nil, recomputes: Bool = false
    ) {
        (self.rule, self.schedule, self.clipNorm, self.logInterval) = (rule, schedule, clipNorm, logInterval)
        self.validationInterval = validationInterval
        (self.checkpointSteps, self.checkpointMinutes) = (checkpointSteps, checkpointMinutes)
        (self.batchesAhead, self.rateScaling) = (batchesAhead, rateScaling)
        (self.microBatch, self.recomputes) = (microBatch, recomputes)
    }

    /// Reads the sections `optimizer`, `schedule`, `run` and `memory`; what is not written is as in `defaults`.
    public init(reading section: RecipeSection, defaults: TrainingRecipe) throws {
        let optimizer = try section.section("optimizer")
        rule = try readUpdateRule(optimizer, default: defaults.rule)
        clipNorm = try optimizer.optionalDouble("clip_norm", default: defaults.clipNorm, in: 1e-12...1e12)
        rateScaling = try RateScaling(reading: optimizer)
        schedule = try Schedule(reading: try section.section("schedule"), default: defaults.schedule)
        let run = try section.section("run")
        logInterval = try run.integer("log_interval", default: defaults.logInterval, in: 1...Int.max)
        validationInterval = try run.optionalInteger(
            "validation_interval", default: defaults.validationInterval, in: 1...Int.max)
        checkpointSteps = try run.optionalInteger(
            "checkpoint_steps", default: defaults.checkpointSteps, in: 1...Int.max)
        checkpointMinutes = try run.optionalDouble(
            "checkpoint_minutes", default: defaults.checkpointMinutes, in: 0...1e6)
        batchesAhead = try run.integer("batches_ahead", default: defaults.batchesAhead, in: 0...64)
        let memory = try section.section("memory")
        microBatch = try memory.optionalInteger("micro_batch", default: defaults.microBatch, in: 1...4096)
        recomputes = try memory.bool("recompute", default: defaults.recomputes)
    }
}

/// Reads `kind` and the keys that belong to it.
private func readUpdateRule(_ section: RecipeSection, default fallback: any UpdateRule) throws -> any UpdateRule {
    let adam = fallback as? Adam
    let usual = adam.map { $0.isDecoupled ? "adamw" : "adam" } ?? "sgd"
    let kind = try section.choice("kind", among: ["sgd", "adam", "adamw"], default: usual)
    if kind == "sgd" {
        let defaults = fallback as? SGD ?? SGD()
        return SGD(
            momentum: try section.double("momentum", default: defaults.momentum, in: 0...0.999999),
            nesterov: try section.bool("nesterov", default: defaults.nesterov),
            weightDecay: try section.double("weight_decay", default: defaults.weightDecay, in: 0...1))
    }
    let defaults = adam ?? Adam()
    return Adam(
        beta1: try section.double("beta1", default: defaults.beta1, in: 0...0.999999),
        beta2: try section.double("beta2", default: defaults.beta2, in: 0...0.9999999),
        epsilon: try section.double("epsilon", default: defaults.epsilon, in: 0...1),
        weightDecay: try section.double("weight_decay", default: defaults.weightDecay, in: 0...1),
        isDecoupled: kind == "adamw")
}

extension Schedule {
    /// Reads `steps_per_update` and the list `stages`. A list that is written replaces the default as a whole.
    public init(reading section: RecipeSection, default fallback: Schedule) throws {
        let stepsPerUpdate = try section.integer(
            "steps_per_update", default: fallback.stepsPerUpdate, in: 1...Int.max)
        let isWritten = section.isWritten("stages")
        let stages = try section.sections("stages", defaultCount: fallback.stages.count).enumerated().map {
            index, part in
            try Stage(reading: part, default: isWritten ? nil : fallback.stages[index])
        }
        self.init(stages, stepsPerUpdate: stepsPerUpdate)
        guard steps > 0 else { throw section.error(at: "stages", "expected at least one stage of at least one step") }
    }
}

extension Schedule.Stage {
    fileprivate init(reading section: RecipeSection, default fallback: Self?) throws {
        name = try section.string("name", default: fallback?.name ?? "main")
        steps = try section.integer("steps", default: fallback?.steps, in: 0...1_000_000_000)
        peak = try section.double("peak", default: fallback?.peak, in: 0...1e6)
        shape = try Schedule.Shape(reading: section, default: fallback?.shape)
        trains = try TrainableParameters(reading: section, default: fallback?.trains ?? .all)
        renewsOptimizer = try section.bool("renew_optimizer", default: fallback?.renewsOptimizer ?? false)
        let usual = fallback?.rates ?? []
        rates = try section.sections("rates", defaultCount: usual.count).enumerated().map { index, part in
            let usual = section.isWritten("rates") ? nil : usual[index]
            return ModuleRate(
                try part.string("module", default: usual?.module),
                factor: try part.double("factor", default: usual?.factor, in: 0...1e6))
        }
    }
}

extension Schedule.Shape {
    fileprivate init(reading section: RecipeSection, default fallback: Self?) throws {
        let (name, number): (String?, Double?) =
            switch fallback {
            case .warmUp: ("warm_up", nil)
            case .poly(let exponent): ("poly", exponent)
            case .cosine(let floor): ("cosine", floor)
            case .step(_, let factor): ("step", factor)
            case .constant: ("constant", nil)
            case nil: (nil, nil)
            }
        switch try section.choice("shape", among: ["warm_up", "poly", "cosine", "step", "constant"], default: name) {
        case "warm_up": self = .warmUp
        case "poly": self = .poly(exponent: try section.double("exponent", default: number ?? 0.9, in: 0...100))
        case "cosine": self = .cosine(floor: try section.double("floor", default: number ?? 0, in: 0...1))
        case "step":
            // MultiStepLR's usual tenth, at half and three quarters of the stage.
            var usual = [0.5, 0.75]
            if case .step(let drops, _) = fallback { usual = drops }
            self = .step(
                drops: try section.doubles("drops", default: usual, in: 0...1),
                factor: try section.double("factor", default: number ?? 0.1, in: 0...1))
        default: self = .constant
        }
    }
}

extension TrainableParameters {
    fileprivate init(reading section: RecipeSection, default fallback: Self) throws {
        var (trained, frozen): ([String], [String]) = (["all"], [])
        switch fallback {
        case .all: break
        case .only(let modules): trained = modules
        case .except(let modules): frozen = modules
        }
        trained = try section.strings("trains", default: trained)
        frozen = try section.strings("frozen", default: frozen)
        guard trained == ["all"] || frozen.isEmpty else {
            throw section.error(at: "frozen", "give either the modules that train or those that are frozen")
        }
        self = trained != ["all"] ? .only(trained) : frozen.isEmpty ? .all : .except(frozen)
    }
}
