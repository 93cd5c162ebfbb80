import Training

extension Schedule {
    /// The best schedule of the S3D study (Wald et al. 2024, Table 3, row 13): the decoder alone with a rising rate, the
    /// whole network with a rising rate, then twenty times as long with a falling rate; peak 1e-3, an epoch is 250 steps.
    ///
    /// The heads belong to the decoder. Both warm-ups begin with a new optimizer, whose state the main stage takes over.
    public static let stagedWarmUps = Schedule(
        [
            Stage(
                name: "decoder warm-up", steps: 12_500, shape: .warmUp, peak: 1e-3, trains: .only(["decoder"]),
                renewsOptimizer: true),
            Stage(name: "warm-up", steps: 12_500, shape: .warmUp, peak: 1e-3, renewsOptimizer: true),
            Stage(name: "main", steps: 250_000, shape: .poly(exponent: 0.9), peak: 1e-3),
        ], stepsPerUpdate: 250)

    /// nnU-Net's schedule for random weights: 1000 epochs of 250 steps, falling from 1e-2.
    public static let fromScratch = Schedule(
        [Stage(steps: 250_000, shape: .poly(exponent: 0.9), peak: 1e-2)], stepsPerUpdate: 250)

    /// The same stages in `steps` steps together: each keeps its share, rounded, but where there are enough at least one
    /// step; the last one gets the rest. What used to be an epoch shrinks alike, so that the rate is no coarser a staircase
    /// than before.
    public func scaled(to steps: Int) -> Schedule {
        let factor = Double(steps) / Double(self.steps)
        var left = steps
        var scaled = stages
        for index in scaled.indices.dropLast() {
            let others = scaled.count - 1 - index  // a step each is theirs
            let share = Int((Double(scaled[index].steps) * factor).rounded())
            scaled[index].steps = min(max(0, left - others), max(1, share))
            left -= scaled[index].steps
        }
        scaled[scaled.count - 1].steps = left
        return Schedule(scaled, stepsPerUpdate: max(1, Int((Double(stepsPerUpdate) * factor).rounded(.down))))
    }
}
