import Foundation
import Synchronization
import Tensors
import Testing

/// Each iteration of a loop runs once before the loop returns, whoever is awake, late or busy with another loop.
struct ParallelLoopTests {
    /// Loops in turn, some so short that helpers come too late; with pauses in which they fall asleep.
    @Test(arguments: [1, 2, 5], [false, true])
    func everyIterationRunsOnce(threads: Int, pauses: Bool) {
        let cpu = CPU(threads: threads)
        for round in 0..<(pauses ? 50 : 5000) {
            if pauses { usleep(500) }
            let count = [0, 1, 2, 64][round % 4]
            #expect(runs(of: count, on: cpu) == Array(repeating: 1, count: count))
        }
    }

    /// A loop that starts while another runs has its caller alone.
    @Test func loopsOfSeveralThreadsAndNestedOnes() async {
        let cpu = CPU(threads: 3)
        await withTaskGroup(of: [[Int]].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<500).map { _ in
                        let inner = Mutex<[Int]>([])
                        cpu.forEach(3) { _ in
                            let found = runs(of: 5, on: cpu)
                            inner.withLock { $0 += found }
                        }
                        return inner.withLock { $0 }
                    }
                }
            }
            for await loops in group { #expect(loops.allSatisfy { $0 == Array(repeating: 1, count: 15) }) }
        }
    }

    /// Helpers that outlived their pool would be found by their number.
    @Test func helpersEndWithTheirPool() throws {
        func helpers() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
        }
        let before = try helpers()
        for _ in 0..<200 { #expect(runs(of: 4, on: CPU(threads: 3)) == [1, 1, 1, 1]) }
        // Other tests' threads come and go; four hundred of ours would stay.
        for _ in 0..<100 where try helpers() > before + 200 { usleep(20_000) }
        #expect(try helpers() <= before + 200)
    }
}

/// How often each iteration of a loop has run when the loop returns.
private func runs(of count: Int, on cpu: CPU) -> [Int] {
    let runs = Mutex(Array(repeating: 0, count: count))
    cpu.forEach(count) { index in runs.withLock { $0[index] += 1 } }
    return runs.withLock { $0 }
}
