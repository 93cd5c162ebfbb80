/// `body(inputs)`, of which nothing but the inputs is kept for the backward pass: what lies between is computed again
/// there. Costs one more forward pass of `body` and saves the memory of all its intermediate results.
///
/// Chen et al. 2016, 'Training deep nets with sublinear memory cost', arXiv:1604.06174.
/// - Parameters:
///   - parameters: all that `body` uses.
///   - body: a pure function of the inputs and parameters, recorded on the tape.
public func recomputed(
    _ inputs: [Tensor], parameters: [Parameter], _ body: @escaping ([Tensor]) -> Tensor
) -> Tensor {
    let kept = inputs.map { Kept($0) }
    let result = body(inputs.map(\.detached)).detached
    // What the result could be made of again is what shall not be kept.
    if !inputs.contains(where: { $0.buffer === result.buffer }) { result.buffer.remake = nil }
    let leaves = parameters.map { $0.tensor(in: .training) }
    return result.recorded(from: inputs + leaves) { gradient in
        var (outputs, variables) = again(kept, gradient.moved(), body)
        let gradients = Tensor.backward(spending: &outputs)
        return variables.map { $0.flatMap { gradients[$0] } } + parameters.map { gradients[$0] }
    }
}

/// The result of `body` with what flows back to it, and the leaves of its inputs.
private func again(
    _ inputs: [Kept], _ upstream: Tensor, _ body: ([Tensor]) -> Tensor
) -> (outputs: [(output: Tensor, upstream: Tensor)], variables: [TapeNode?]) {
    let variables = inputs.map { $0.needsGradient ? $0.value.tracked() : $0.value }
    return ([(body(variables), upstream)], variables.map(\.node))
}
