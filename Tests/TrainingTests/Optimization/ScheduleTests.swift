import Foundation
import Testing
import Training

struct ScheduleTests {
    @Test func theCurvesAreTheirFormulas() {
        func rates(_ shape: Schedule.Shape) -> [Double] {
            let schedule = Schedule([.init(steps: 4, shape: shape, peak: 2)])
            return (0..<5).map(schedule.learningRate)
        }
        #expect(rates(.warmUp) == [0.5, 1, 1.5, 2, 0])
        #expect(rates(.constant) == [2, 2, 2, 2, 0])
        #expect(rates(.poly(exponent: 1)) == [2, 1.5, 1, 0.5, 0])
        #expect(
            zip(rates(.cosine(floor: 0)), [2, 1 + 0.5.squareRoot(), 1, 1 - 0.5.squareRoot(), 0]).allSatisfy {
                abs($0 - $1) < 1e-12
            })
    }

    @Test func theRateIsConstantWithinAnEpoch() {
        let schedule = Schedule([.init(steps: 250_000, shape: .poly(exponent: 0.9), peak: 0.01)], stepsPerUpdate: 250)
        #expect(schedule.learningRate(at: 249) == 0.01)
        #expect(schedule.learningRate(at: 250) == 0.01 * pow(1 - 1.0 / 1000, 0.9))
        #expect(schedule.learningRate(at: 249_999) == 0.01 * pow(1 - 999.0 / 1000, 0.9))
    }

    @Test func stagesFollowEachOther() {
        let schedule = Schedule([
            .init(name: "a", steps: 2, shape: .warmUp, peak: 1),
            .init(name: "none", steps: 0, shape: .constant, peak: 9),
            .init(name: "b", steps: 3, shape: .constant, peak: 1),
        ])
        #expect(schedule.steps == 5)
        #expect((0..<6).map { schedule.stage(at: $0)?.stage.name } == ["a", "a", "b", "b", "b", nil])
        #expect(schedule.stage(at: 4)?.start == 2)
    }

    @Test func modulesAreNamedByTheirDottedPrefix() {
        let decoder = TrainableParameters.only(["decoder"])
        #expect(decoder.contains("decoder.stages.0.weight") && !decoder.contains("decoder_extra.weight"))
        #expect(!TrainableParameters.except(["encoder.stem"]).contains("encoder.stem.conv.weight"))
        #expect(TrainableParameters.except(["encoder.stem"]).contains("encoder.stages.0.weight"))
        #expect(TrainableParameters.all.contains("anything"))
        let norms = TrainableParameters.only(["*.norm", "*.bias"])
        #expect(
            norms.contains("encoder.stages.0.blocks.1.conv1.norm.weight") && norms.contains("decoder.seg_layers.0.bias")
        )
        #expect(!norms.contains("encoder.stem.convs.0.conv.weight") && !norms.contains("encoder.normal.weight"))
        #expect(TrainableParameters.except(["*.conv1"]).contains("blocks.0.conv2.norm.weight"))
    }

    @Test func theLastRateThatNamesAParameterCounts() {
        let rates = [
            ModuleRate("encoder", factor: 0.5), ModuleRate("encoder.stem", factor: 0), ModuleRate("*.bias", factor: 2),
        ]
        #expect(rates.factor(of: "encoder.stages.0.weight") == 0.5 && rates.factor(of: "encoder.stem.weight") == 0)
        #expect(rates.factor(of: "encoder.stem.bias") == 2 && rates.factor(of: "decoder.weight") == 1)
    }
}

struct TrainingRecipeTests {
    private static let defaults = TrainingRecipe(
        rule: Adam(), schedule: Schedule([.init(steps: 10, shape: .cosine(floor: 0.1), peak: 1e-3)]))

    private static func read(_ text: String) throws -> (TrainingRecipe, ResolvedRecipe) {
        try RecipeDocument.parse(text, path: "r.yaml").resolve { try TrainingRecipe(reading: $0, defaults: defaults) }
    }

    @Test func defaultsAreTheMethods() throws {
        let recipe = try Self.read("").0
        #expect(recipe.rule as? Adam == Adam() && recipe.schedule == Self.defaults.schedule && recipe.clipNorm == 12)
    }

    @Test func stagesAreAList() throws {
        let text = """
            optimizer: {kind: sgd, clip_norm: none}
            schedule:
              steps_per_update: 250
              stages:
              - name: decoder
                steps: 500
                shape: warm_up
                peak: 1e-3
                trains: [decoder]
                rates: [{module: decoder.seg_layers, factor: 10}]
              - steps: 1000
                shape: poly
                peak: 1e-3
                renew_optimizer: true
            """
        let (recipe, resolved) = try Self.read(text)
        #expect(recipe.rule as? SGD == SGD() && recipe.clipNorm == nil)
        let expected = Schedule(
            [
                .init(
                    name: "decoder", steps: 500, shape: .warmUp, peak: 1e-3, trains: .only(["decoder"]),
                    rates: [ModuleRate("decoder.seg_layers", factor: 10)]),
                .init(steps: 1000, shape: .poly(exponent: 0.9), peak: 1e-3, renewsOptimizer: true),
            ], stepsPerUpdate: 250)
        #expect(recipe.schedule == expected)
        #expect(try Self.read(resolved.yaml).0.schedule == expected)
    }

    @Test(arguments: [
        (
            "schedule: {stages: [{steps: 1, peak: 1, shape: warm_up, rates: [{factor: 2}]}]}",
            "schedule.stages[0].rates[0].module: this key is required"
        ),
        (
            "schedule: {stages: [{steps: 1, peak: 1, shape: warm_up, exponent: 2}]}",
            "schedule.stages[0].exponent: unknown"
        ),
        ("schedule: {stages: [{peak: 1, shape: poly}]}", "schedule.stages[0].steps: this key is required"),
        ("schedule: {stages: []}", "at least one stage"),
        ("schedule: {stages: 3}", "a list of sections"),
        ("optimizer: {kind: sgd, beta1: 0.9}", "optimizer.beta1: unknown key"),
        ("optimizer: {momentum: 0.9}", "optimizer.momentum: unknown key"),
    ])
    func mistakesAreNamed(text: String, words: String) {
        let error = #expect(throws: RecipeError.self) { try Self.read(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}
