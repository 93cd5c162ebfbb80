import Synchronization
import Testing

/// Counts cases per operation and prints the table when the suite is done.
final class Tally: Sendable {
    struct Count {
        var passed = 0
        var failed = 0
    }

    @TaskLocal static var current: Tally?

    private let counts = Mutex<[String: Count]>([:])

    func record(_ op: String, _ outcome: WritableKeyPath<Count, Int> & Sendable) {
        counts.withLock { $0[op, default: Count()][keyPath: outcome] += 1 }
    }

    func printTable() {
        let counts = counts.withLock { $0 }
        for (op, count) in counts.sorted(by: { $0.key < $1.key }) {
            let remark = count.failed > 0 ? ", FAILED: \(count.failed)" : ""
            print("oracle \(op): \(count.passed) of \(count.passed + count.failed)\(remark)")
        }
        print("oracle: \(counts.values.map(\.passed).reduce(0, +)) cases passed")
    }
}

/// Gives a suite a ``Tally`` and prints it at the end.
struct PrintingTally: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let tally = Tally()
        try await Tally.$current.withValue(tally) { try await function() }
        tally.printTable()
    }
}
