import Synchronization
import Tensors

extension CPU {
    /// What `body` makes of each element, computed in parallel, in order. After an error no more elements are begun, and the
    /// error of the first element that failed is thrown.
    func mapCases<Element: Sendable, Result: Sendable>(
        _ elements: [Element], _ body: @Sendable (Element) throws -> Result
    ) throws -> [Result] {
        let outcome = Mutex(Outcome<Result>(results: elements.map { _ in nil }))
        forEach(elements.count) { index in
            guard outcome.withLock({ $0.failure == nil }) else { return }
            do {
                let result = try body(elements[index])
                outcome.withLock { $0.results[index] = result }
            } catch {
                outcome.withLock { outcome in
                    if index < outcome.failure?.index ?? .max { outcome.failure = (index, error) }
                }
            }
        }
        return try outcome.withLock { outcome in
            if let failure = outcome.failure { throw failure.error }
            return outcome.results.compactMap(\.self)
        }
    }
}

private struct Outcome<Result> {
    var results: [Result?]
    var failure: (index: Int, error: any Error)?
}
