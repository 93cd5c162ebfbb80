import Foundation

/// How an optimizer changes weights, given gradients: what is kept per weight between steps, and one step's arithmetic.
public protocol UpdateRule: Sendable {
    /// The names of the numbers kept per weight, such as `momentum`. They begin as zero.
    var slots: [String] { get }

    /// The step's factors, which are the same for all weights of a parameter.
    /// - Parameter updates: how often the parameter has been updated, this time included.
    func factors(updates: Int, learningRate: Double, gradientScale: Float) -> StepFactors

    /// Updates weights and slots in place.
    func update(_ span: UpdateSpan, _ factors: StepFactors)
}

/// The numbers that a step of an ``UpdateRule`` multiplies with.
public struct StepFactors: Sendable {
    /// What gradients are multiplied by first: less than 1 if they are clipped.
    var gradientScale: Float
    /// The step's length.
    var learningRate: Float
    /// What weights are multiplied by first: less than 1 with decoupled weight decay.
    var weightScale: Float = 1
    /// Adam's correction of the second moment's root.
    var rootScale: Float = 1
}

/// A run of weights with their gradients and slots, all in the same order.
public struct UpdateSpan {
    let count: Int
    let weights: UnsafeMutablePointer<Float>
    let gradients: UnsafePointer<Float>
    /// As many as the rule has slots; the first is repeated if there is only one.
    let slots: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)
}
