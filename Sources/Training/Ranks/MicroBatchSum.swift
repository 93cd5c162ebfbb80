import Ranks
import Tensors

/// Adds up the gradients of micro-batches as they come, in pairs: the order of ``PairwiseSum``, so that a rank with a power of
/// two of them gets the bits that as many ranks with one each get. Keeps at most a set of gradients for each doubling.
struct MicroBatchSum {
    private let parameters: [Parameter]
    private var partial: [Gradients] = []
    private var index = 0

    /// Sums of the gradients of `parameters`.
    init(over parameters: [Parameter]) { self.parameters = parameters }

    /// Adds the gradients of a micro-batch that is not the last.
    mutating func add(_ gradients: Gradients) {
        var sum = gradients
        for _ in 0..<PairwiseSum.merges(at: index) {
            let earlier = partial.removeLast()
            for parameter in parameters { sum[parameter] = Self.sum(earlier[parameter], sum[parameter]) }
        }
        partial.append(sum)
        index += 1
    }

    /// A parameter's sum, given the gradient of the last micro-batch.
    func total(of parameter: Parameter, last: Tensor?) -> Tensor? {
        partial.reversed().reduce(last) { Self.sum($1[parameter], $0) }
    }

    private static func sum(_ first: Tensor?, _ second: Tensor?) -> Tensor? {
        guard let first, let second else { return first ?? second }
        return Tensors.add(first, second).detached
    }
}
