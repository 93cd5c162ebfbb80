/// Stochastic gradient descent with momentum, in PyTorch's formulation.
///
/// `g ← g + decay·w`, `v ← momentum·v + g`, `w ← w − rate·(g + momentum·v)` with Nesterov's momentum, else
/// `w ← w − rate·v`. With `v = 0` before the first step, `v` is `g` after it.
public struct SGD: UpdateRule, Hashable {
    /// The share of the velocity that is kept from step to step.
    public var momentum: Double
    /// Whether the gradient is taken to be that at the point the momentum leads to.
    public var nesterov: Bool
    /// The factor of the weights that is added to the gradients (coupled L2 penalty), for all parameters alike.
    public var weightDecay: Double

    /// The defaults are nnU-Net's.
    public init(momentum: Double = 0.99, nesterov: Bool = true, weightDecay: Double = 3e-5) {
        (self.momentum, self.nesterov, self.weightDecay) = (momentum, nesterov, weightDecay)
    }

    /// The velocity, unless there is no momentum.
    public var slots: [String] { momentum == 0 ? [] : ["momentum"] }

    /// The learning rate as it is.
    public func factors(updates: Int, learningRate: Double, gradientScale: Float) -> StepFactors {
        StepFactors(gradientScale: gradientScale, learningRate: Float(learningRate))
    }

    /// One step.
    public func update(_ span: UpdateSpan, _ factors: StepFactors) {
        let (weights, gradients, velocities) = (span.weights, span.gradients, span.slots.0)
        let (momentum, decay) = (Float(momentum), Float(weightDecay))
        let (scale, rate) = (factors.gradientScale, factors.learningRate)
        if momentum == 0 {
            for i in 0..<span.count { weights[i] -= rate * (gradients[i] * scale + decay * weights[i]) }
        } else if nesterov {
            for i in 0..<span.count {
                let gradient = gradients[i] * scale + decay * weights[i]
                let velocity = momentum * velocities[i] + gradient
                velocities[i] = velocity
                weights[i] -= rate * (gradient + momentum * velocity)
            }
        } else {
            for i in 0..<span.count {
                let velocity = momentum * velocities[i] + (gradients[i] * scale + decay * weights[i])
                velocities[i] = velocity
                weights[i] -= rate * velocity
            }
        }
    }
}
