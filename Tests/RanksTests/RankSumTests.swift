import Foundation
import Ranks
import Tensors
import Testing

struct RankSumTests {
    @Test("the sum is that of all ranks, in pairs of neighbours, whatever the number of ranks", arguments: 1...7)
    func sums(count: Int) throws {
        // Numbers whose single-precision sum depends on the order of summation.
        @Sendable func number(_ rank: Int, _ index: Int) -> Float {
            Float(rank + 1) / Float(3 + index) * (rank == 1 ? 1e7 : 1)
        }
        let results = try ThreadRanks.run(count) { ranks in
            let sum = RankSum(ranks)
            var values = (0..<10).map { number(ranks.rank, $0) }
            values += [Float](repeating: 0, count: sum.paddedCount(10) - 10)
            var scratch = values
            values.withUnsafeMutableBufferPointer { values in
                scratch.withUnsafeMutableBufferPointer { sum(values, scratch: $0) }
            }
            return Array(values.prefix(10))
        }
        func pairwise(_ numbers: [Float]) -> Float {
            guard numbers.count > 1 else { return numbers[0] }
            return pairwise(
                stride(from: 0, to: numbers.count, by: 2).map {
                    $0 + 1 < numbers.count ? numbers[$0] + numbers[$0 + 1] : numbers[$0]
                })
        }
        let expected = (0..<10).map { index in pairwise((0..<count).map { number($0, index) }) }
        #expect(results == [[Float]](repeating: expected, count: count))
    }

    @Test("numbers and texts of all ranks arrive in rank order")
    func gathers() throws {
        let results = try ThreadRanks.run(3) { ranks in
            (ranks.gather([Double(ranks.rank), 0.5]), ranks.gather(String(repeating: "ä", count: ranks.rank)))
        }
        for (numbers, texts) in results {
            #expect(numbers == [[0, 0.5], [1, 0.5], [2, 0.5]])
            #expect(texts == ["", "ä", "ää"])
        }
    }

    @Test("what the first rank does first, the others find done")
    func firstThenOthers() throws {
        let order = Order()
        _ = try ThreadRanks.run(3) { ranks in ranks.firstThenOthers { order.note(ranks.rank) } }
        #expect(order.noted.first == 0 && order.noted.sorted() == [0, 1, 2])
    }

    @Test("ranks that would not do the same are told apart, on every rank")
    func disagreement() throws {
        let errors = try ThreadRanks.run(3) { ranks -> RankError? in
            do {
                try ranks.agree(on: [("recipe", "same"), ("step", ranks.rank == 2 ? "7" : "8")])
                return nil
            } catch { return error as? RankError }
        }
        let expected = RankError.disagree(what: "step", first: "8", rank: 2, other: "7")
        #expect(errors == [expected, expected, expected])
    }

    @Test(
        "the launcher's variables tell the place",
        arguments: [
            (["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4"], RankPlace(rank: 2, count: 4)),
            (["PMI_RANK": "1", "PMI_SIZE": "2"], RankPlace(rank: 1, count: 2)),
            (["PMIX_RANK": "0", "SLURM_PROCID": "3", "SLURM_NTASKS": "8"], RankPlace(rank: 3, count: 8)),
            (["PMI_RANK": "0", "PMI_SIZE": "1"], nil), (["SLURM_PROCID": "0", "SLURM_NTASKS": "4"], nil), ([:], nil),
        ] as [([String: String], RankPlace?)])
    func place(environment: [String: String], expected: RankPlace?) {
        #expect(RankPlace(environment: environment) == expected)
    }
}

/// Who was there when. `@unchecked Sendable`: the list is guarded by `lock`, and read when all are done.
private final class Order: @unchecked Sendable {
    private let lock = NSLock()
    private(set) var noted: [Int] = []

    func note(_ rank: Int) { lock.withLock { noted.append(rank) } }
}
