/// `body(inputs)`, of which nothing but the inputs is kept for the backward pass: what lies between is computed again
/// there. Costs one more forward pass of `body` and saves the memory of all its intermediate results.
///
/// Chen et al. 2016, 'Training deep nets with sublinear memory cost', arXiv:1604.06174.
/// - Parameters:
///   - parameters: all that `body` uses.
///   - body: a pure function of the inputs and parameters, the same in every phase (batch norms are not); called in
///     `.inference` now and in `.training` for the gradients.
public func recomputed(
    _ inputs: [Tensor], parameters: [Parameter], _ body: @escaping ([Tensor], Phase) -> [Tensor]
) -> [Tensor] {
    let kept = inputs.map { Kept($0) }
    let results = body(inputs.map(\.detached), .inference)
    // Gradients of parameters go straight to the sum; the leaves tell when they are complete.
    let leaves = parameters.filter(\.isTrainable).map { TapeNode(leaf: $0) }
    guard inputs.needGradient || !leaves.isEmpty else { return results }
    let upstream = Upstream(count: results.count)
    let joint = TapeNode(parents: inputs.map(\.node) + leaves) { _, gradients, whenReady in
        var (outputs, variables) = again(kept, upstream.take(), body)
        Tensor.backward(spending: &outputs, into: &gradients, whenReady: whenReady)
        return variables.map { $0.flatMap { gradients.take($0) } } + leaves.map { _ in nil }
    }
    return results.enumerated().map { index, result in
        let node = TapeNode(parents: [joint]) { gradient, _, _ in
            let arrived = Tensor(zeros: [1], on: gradient.cpu)
            upstream.put(gradient.moved(), at: index)
            return [arrived]
        }
        return Tensor(
            shape: result.shape, buffer: result.buffer, visibility: result.visibility, filling: result.filling,
            node: node)
    }
}

/// ``recomputed(_:parameters:_:)`` of a single result.
public func recomputed(
    _ inputs: [Tensor], parameters: [Parameter], _ body: @escaping ([Tensor], Phase) -> Tensor
) -> Tensor {
    recomputed(inputs, parameters: parameters) { [body($0, $1)] }[0]
}

/// `body` of one sample after the other, joined along the first axis: the tape of one sample exists at a time. All but the
/// last, with whose tape the backward pass begins, are computed again.
///
/// Unlike gradients that are summed over parts of a batch, this serves losses that join samples.
/// - Parameters:
///   - x: `[N, ...]`, dense.
///   - parameters: all that `body` uses.
///   - body: a pure function of a sample `[1, ...]`, its index and the parameters. Its phase is `.recomputingFinest` for
///     gradients, else `.inference`.
public func recomputedSamples(
    of x: Tensor, parameters: [Parameter], _ body: @escaping (_ sample: Tensor, _ index: Int, Phase) -> [Tensor]
) -> [Tensor] {
    let last = x.shape.samples - 1
    let results = (0...last).map { index in
        let sample = slice(x, axis: 0, index..<index + 1)
        guard index < last else { return body(sample, index, .recomputingFinest) }
        return recomputed([sample], parameters: parameters) { inputs, phase in
            body(inputs[0], index, phase == .training ? .recomputingFinest : phase)
        }
    }
    return results[0].indices.map { output in concatenate(results.map { $0[output] }, axis: 0) }
}

/// The gradients of results that come from one computation, until all have arrived.
private final class Upstream {
    private var gradients: [Tensor?]

    init(count: Int) { gradients = [Tensor?](repeating: nil, count: count) }

    func put(_ gradient: Tensor, at index: Int) {
        check(index < gradients.count, "backward was already called on another result: their common tape is spent")
        gradients[index] = gradient
    }

    func take() -> [Tensor?] {
        defer { gradients = [] }
        return gradients
    }
}

/// The results of `body` to which something flows back, and the leaves of its inputs.
private func again(
    _ inputs: [Kept], _ upstream: [Tensor?], _ body: ([Tensor], Phase) -> [Tensor]
) -> (outputs: [(output: Tensor, upstream: Tensor)], variables: [TapeNode?]) {
    let variables = inputs.map { $0.needsGradient ? $0.value.trackedAsFilled() : $0.value }
    let outputs = zip(body(variables, .training), upstream).compactMap { output, upstream in
        upstream.map { (output, $0) }
    }
    return (outputs, variables.map(\.node))
}
