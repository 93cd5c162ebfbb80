/// The normalized temperature-scaled cross-entropy of pairs of views: of 2B embeddings, each must find its partner among the
/// other 2B - 1.
///
/// `mean over i of -s(i, p(i)) / temperature + ln sum over j != i of exp(s(i, j) / temperature)`, `s` the cosine. Chen et al.
/// 2020 (SimCLR), arXiv:2002.05709.
/// - Parameters:
///   - first: embeddings of one view of each, `[B, E]`.
///   - second: embeddings of the other, `[B, E]`.
/// - Returns: a scalar; 0 for a single pair.
public func ntXent(_ first: Tensor, _ second: Tensor, temperature: Float) -> Tensor {
    check(first.shape == second.shape && first.shape.rank == 2, "pairs of [B, E], got \(first.shape), \(second.shape)")
    let (pairs, cpu) = (first.shape[0], first.cpu)
    let rows = unitRows(concatenate([first, second], axis: 0))
    let similarities = scale(rowProducts(rows, rows), by: 1 / temperature)
    // An embedding is not compared with itself: e to this is 0.
    let excluded = Tensor(
        (0..<4 * pairs * pairs).map { $0 / (2 * pairs) == $0 % (2 * pairs) ? -1e9 : 0 }, shape: [2 * pairs, 2 * pairs],
        on: cpu)
    return rowCrossEntropy(add(similarities, excluded), targets: (0..<2 * pairs).map { ($0 + pairs) % (2 * pairs) })
}

/// The cross-entropy of finding each query's own key among the keys of all: `mean over i of
/// -s(i, i) / temperature + ln sum over j of exp(s(i, j) / temperature)`, `s` the cosine. Oord et al. 2018, arXiv:1807.03748.
///
/// - Parameters:
///   - queries: `[B, E]`.
///   - keys: `[B, E]`, in the order of the queries.
///   - symmetric: whether keys look for their queries as well; the mean of both.
/// - Returns: a scalar.
public func infoNCE(queries: Tensor, keys: Tensor, temperature: Float, symmetric: Bool) -> Tensor {
    check(queries.shape == keys.shape && queries.shape.rank == 2, "pairs of [B, E]: \(queries.shape), \(keys.shape)")
    let (queries, keys) = (unitRows(queries), unitRows(keys))
    let targets = Array(0..<queries.shape[0])
    func loss(_ from: Tensor, _ to: Tensor) -> Tensor {
        rowCrossEntropy(scale(rowProducts(from, to), by: 1 / temperature), targets: targets)
    }
    guard symmetric else { return loss(queries, keys) }
    return scale(add(loss(queries, keys), loss(keys, queries)), by: 0.5)
}

/// The mean over rows of `-ln softmax(logits)[target]`.
///
/// - Parameters:
///   - logits: `[B, K]`.
///   - targets: one of `0..<K` for each row.
public func rowCrossEntropy(_ logits: Tensor, targets: [Int]) -> Tensor {
    check(logits.shape.rank == 2, "rowCrossEntropy wants [B, K], got \(logits.shape)")
    let map = logits.reshaped(to: Shape(samples: logits.shape[0], extent: 1, channels: logits.shape[1]))
    return crossEntropy(map, labels: LabelMap(samples: logits.shape[0], extent: 1, labels: targets.map(Int32.init)))
}
