import Finetuning
import Foundation
import Networks
import Tensors
import Testing
import Training

struct ScheduleTests {
    private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 * max(1, abs(b)) + 1e-16 }

    /// Checks of the study's schedule: stages of 50 epochs, peak 1e-3.
    @Test func theStagedWarmUpsAreTheStudys() {
        let schedule = Schedule.stagedWarmUps
        #expect(schedule.steps == 275_000 && schedule.stages.map(\.steps) == [12_500, 12_500, 250_000])
        for start in [0, 12_500] {
            #expect(
                isClose(schedule.learningRate(at: start), 2e-5) && isClose(schedule.learningRate(at: start + 249), 2e-5)
            )
            #expect(isClose(schedule.learningRate(at: start + 250), 4e-5))
            #expect(isClose(schedule.learningRate(at: start + 12_499), 1e-3))
        }
        #expect(isClose(schedule.learningRate(at: 25_000), 1e-3))
        #expect(isClose(schedule.learningRate(at: 274_999), 1e-3 * pow(1.0 / 1000, 0.9)))
        #expect(schedule.stages.map(\.renewsOptimizer) == [true, true, false])
        #expect(Schedule.fromScratch.steps == 250_000 && Schedule.fromScratch.learningRate(at: 0) == 1e-2)
    }

    @Test(arguments: [22, 500, 1000, 12_345, 275_000])
    func aBudgetIsDividedOneToOneToTwenty(steps: Int) {
        let schedule = Schedule.stagedWarmUps.scaled(to: steps)
        let share = Int((Double(steps) / 22).rounded())
        #expect(schedule.stages.map(\.steps) == [share, share, steps - 2 * share] && schedule.steps == steps)
        #expect(
            isClose(schedule.learningRate(at: share - 1), 1e-3) && isClose(schedule.learningRate(at: 2 * share), 1e-3))
        #expect(schedule.stepsPerUpdate == max(1, steps / 1100))
    }

    @Test func aTinyBudgetStillHasAMainStage() {
        for steps in 1...5 {
            let schedule = Schedule.stagedWarmUps.scaled(to: steps)
            #expect(schedule.steps == steps && schedule.stages.last?.name == "main")
        }
    }

    @Test func theDecoderWarmUpTrainsTheDecoderOnly() throws {
        let network = try UNet(NetworkPreset.l.plan(outputChannels: 1), on: CPU(threads: 1))
        let trained = network.namedParameters.filter { Schedule.stagedWarmUps.stages[0].trains.contains($0.name) }
        #expect(trained.reduce(0) { $0 + $1.parameter.pytorchShape.count } == 12_052_389)
        #expect(trained.allSatisfy { $0.name.hasPrefix("decoder.") })
        let whole = network.namedParameters.filter { Schedule.stagedWarmUps.stages[1].trains.contains($0.name) }
        #expect(whole.reduce(0) { $0 + $1.parameter.pytorchShape.count } == 102_348_965)
    }
}
