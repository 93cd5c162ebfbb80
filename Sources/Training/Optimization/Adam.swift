import Foundation

/// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), in PyTorch's formulation.
///
/// `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`, `w ← w − rate/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)`. The weight
/// decay is added to the gradient, or, decoupled (AdamW), applied first: `w ← w·(1 − rate·decay)`.
public struct Adam: UpdateRule, Hashable {
    /// How slowly the mean of the gradients forgets, β₁.
    public var beta1: Double
    /// How slowly the mean of their squares forgets, β₂.
    public var beta2: Double
    /// What keeps the divisor from zero, ε.
    public var epsilon: Double
    /// The weight decay.
    public var weightDecay: Double
    /// True for AdamW.
    public var isDecoupled: Bool

    /// The defaults are PyTorch's for AdamW.
    public init(
        beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 1e-2,
        isDecoupled: Bool = true
    ) {
        (self.beta1, self.beta2, self.epsilon) = (beta1, beta2, epsilon)
        (self.weightDecay, self.isDecoupled) = (weightDecay, isDecoupled)
    }

    /// Both moments.
    public var slots: [String] { ["first_moment", "second_moment"] }

    /// The corrections for moments that began as zero.
    public func factors(updates: Int, learningRate: Double, gradientScale: Float) -> StepFactors {
        StepFactors(
            gradientScale: gradientScale, learningRate: Float(learningRate / (1 - pow(beta1, Double(updates)))),
            weightScale: isDecoupled ? Float(1 - learningRate * weightDecay) : 1,
            rootScale: Float(1 / (1 - pow(beta2, Double(updates))).squareRoot()))
    }

    /// One step.
    public func update(_ span: UpdateSpan, _ factors: StepFactors) {
        let (weights, gradients, means, squares) = (span.weights, span.gradients, span.slots.0, span.slots.1)
        let (newShare, keptSquare, newSquare) = (Float(1 - beta1), Float(beta2), Float(1 - beta2))
        let (decay, epsilon) = (isDecoupled ? 0 : Float(weightDecay), Float(epsilon))
        let (scale, rate) = (factors.gradientScale, factors.learningRate)
        let (weightScale, rootScale) = (factors.weightScale, factors.rootScale)
        for i in 0..<span.count {
            let gradient = gradients[i] * scale + decay * weights[i]
            let mean = means[i] + (gradient - means[i]) * newShare
            let square = squares[i] * keptSquare + newSquare * (gradient * gradient)
            means[i] = mean
            squares[i] = square
            weights[i] = weights[i] * weightScale - rate * (mean / (square.squareRoot() * rootScale + epsilon))
        }
    }
}
