import Tensors
import WeightFiles

/// Changes parameters by their gradients, step by step, and remembers what its rule needs between steps.
public struct Optimizer {
    /// The arithmetic of a step.
    public let rule: any UpdateRule
    private var memory: [String: Memory] = [:]

    /// What is kept for one parameter. The slots are parameters too: they share its layout in memory and in files.
    private struct Memory {
        var updates: Int
        let slots: [Parameter]
    }

    /// An optimizer that has made no step.
    public init(_ rule: any UpdateRule) { self.rule = rule }

    /// Makes one step on every trainable parameter that has a gradient; the others stay as they are.
    /// - Parameters:
    ///   - rates: modules whose rate is another one.
    ///   - gradientScale: what all gradients are multiplied by, see ``Gradients/clippingScale(norm:limit:)``.
    public mutating func step(
        _ parameters: [(name: String, parameter: Parameter)], gradients: Gradients, learningRate: Double,
        rates: [ModuleRate] = [], gradientScale: Float = 1
    ) {
        for (name, parameter) in parameters where parameter.isTrainable {
            guard let gradient = gradients[parameter] else { continue }
            var memory = memory[name] ?? Memory(updates: 0, slots: emptySlots(like: parameter))
            memory.updates += 1
            let factors = rule.factors(
                updates: memory.updates, learningRate: learningRate * rates.factor(of: name),
                gradientScale: gradientScale)
            update(parameter, gradient, memory.slots, factors)
            self.memory[name] = memory
        }
    }

    private func update(_ parameter: Parameter, _ gradient: Tensor, _ slots: [Parameter], _ factors: StepFactors) {
        check(
            gradient.shape == parameter.value.shape,
            "gradient \(gradient.shape) of a parameter \(parameter.value.shape)")
        parameter.withSpans(gradient, slots) { [rule] span in
            nonisolated(unsafe) let span = span
            Chunks(count: span.count).forEach(on: parameter.value.cpu) { range in
                rule.update(span[range], factors)
            }
        }
    }

    private func emptySlots(like parameter: Parameter) -> [Parameter] {
        let zeros = [Float](repeating: 0, count: parameter.pytorchShape.count)
        return rule.slots.map { _ in parameter.sibling(zeros) }
    }
}

extension Optimizer {
    /// All that the optimizer remembers: for each parameter `NAME/updates` and each slot, `NAME/momentum` and the like,
    /// in PyTorch's layout.
    public var state: [String: StoredTensor] {
        var tensors: [String: StoredTensor] = [:]
        for (name, memory) in memory {
            tensors["\(name)/updates"] = StoredTensor(scalar: Int64(memory.updates))
            for (slot, values) in zip(rule.slots, memory.slots) {
                tensors["\(name)/\(slot)"] = StoredTensor(values.scalars, shape: values.pytorchShape.dimensions)
            }
        }
        return tensors
    }

    /// Takes up what ``state`` gave, to the bit.
    /// - Throws: `SafetensorsError` if the state belongs to other parameters or another rule.
    public mutating func restore(
        _ state: SafetensorsFile, for parameters: [(name: String, parameter: Parameter)]
    ) throws {
        memory = [:]
        for (name, parameter) in parameters {
            guard let updates = state.tensors["\(name)/updates"] else { continue }
            let slots = try rule.slots.map { slot in
                let stored = try state.tensor("\(name)/\(slot)")
                guard stored.shape == parameter.pytorchShape.dimensions else {
                    throw SafetensorsError.badTensor(
                        file: state.path, tensor: "\(name)/\(slot)",
                        problem: "its shape is \(stored.shape), the parameter's \(parameter.pytorchShape)")
                }
                return parameter.sibling(try stored.floats())
            }
            memory[name] = Memory(updates: try updates.integers().first ?? 0, slots: slots)
        }
    }
}

extension Parameter {
    /// A parameter of the same shape and layout with other elements, in PyTorch's order.
    fileprivate func sibling(_ scalars: [Float]) -> Parameter {
        Parameter(pytorchShape: pytorchShape, layout: layout, scalars: scalars, on: value.cpu)
    }

    /// Gives `body` the memory of this parameter, its gradient and up to two slots.
    fileprivate func withSpans(_ gradient: Tensor, _ slots: [Parameter], _ body: (UpdateSpan) -> Void) {
        update { weights in
            gradient.withScalars { gradients in
                (slots.first ?? self).update { first in
                    (slots.last ?? self).update { second in
                        guard let w = weights.baseAddress, let g = gradients.baseAddress,
                            let s = first.baseAddress, let t = second.baseAddress
                        else { return }
                        body(UpdateSpan(count: weights.count, weights: w, gradients: g, slots: (s, t)))
                    }
                }
            }
        }
    }
}

extension UpdateSpan {
    fileprivate subscript(range: Range<Int>) -> UpdateSpan {
        let start = range.lowerBound
        return UpdateSpan(
            count: range.count, weights: weights + start, gradients: gradients + start,
            slots: (slots.0 + start, slots.1 + start))
    }
}
