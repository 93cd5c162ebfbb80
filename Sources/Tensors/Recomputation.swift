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
    let result = body(inputs.map(\.detached)).detached
    let leaves = parameters.map { $0.tensor(in: .training) }
    return result.recorded(from: inputs + leaves) { gradient in
        let variables = inputs.map { $0.needsGradient ? $0.detached.tracked() : $0.detached }
        let gradients = Tensor.backward(from: [(body(variables), gradient)])
        return zip(inputs, variables).map { $0.needsGradient ? gradients[$1] : nil } + parameters.map { gradients[$0] }
    }
}
