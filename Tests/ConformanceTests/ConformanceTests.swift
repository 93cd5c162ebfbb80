import Testing
import WeightFiles

/// Golden cases from PyTorch and the field's libraries: for every case of every set, the operation's results must be
/// the expected ones.
@Suite(PrintingTally())
struct ConformanceTests {
    /// Empty for a set that cannot be loaded; `everySetLoads` then says why.
    static let cases = OracleSet.folders.flatMap { (try? OracleSet.load($0)) ?? [] }

    @Test("every set loads and has cases", arguments: OracleSet.folders)
    func everySetLoads(folder: String) throws {
        #expect(try !OracleSet.load(folder).isEmpty)
    }

    @Test("results agree with the reference", arguments: cases)
    func agrees(oracle: OracleCase) throws {
        guard let operation = OracleRegistry.operations[oracle.op] else {
            Tally.current?.record(oracle.op, \.failed)
            Issue.record("unknown op '\(oracle.op)'")
            return
        }
        do {
            let problems = try Comparer.mismatches(of: operation(oracle), in: oracle)
            Tally.current?.record(oracle.op, problems.isEmpty ? \.passed : \.failed)
            if !problems.isEmpty { Issue.record("\(problems.joined(separator: "\n"))\n\(oracle.note)") }
        } catch {
            Tally.current?.record(oracle.op, \.failed)
            throw error
        }
    }
}
