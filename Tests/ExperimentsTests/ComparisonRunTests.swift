import Experiments
import Foundation
import Testing

@Suite("Running a comparison")
struct ComparisonRunTests {
    private let folder = TemporaryFolder()

    private func run(
        _ comparison: Comparison, _ runner: FakeRunner, resume: Bool = true, in other: TemporaryFolder? = nil
    ) throws -> ComparisonResults {
        var run = ComparisonRun(comparison, folder: (other ?? folder).path)
        run.bootstrap.repetitions = 200
        return try run.run(with: runner, resume: resume)
    }

    private func text(_ name: String, in other: TemporaryFolder? = nil) throws -> String {
        try String(contentsOfFile: "\((other ?? folder).path)/\(name)", encoding: .utf8)
    }

    @Test("goes on after an interruption at any cell and ends with the same files", arguments: [0, 1, 3, 7])
    func resumes(stopsAfter: Int) throws {
        let comparison = try Comparison.small()
        let undisturbed = TemporaryFolder()
        _ = try run(comparison, FakeRunner(), in: undisturbed)

        let first = FakeRunner(stopsAfter: stopsAfter)
        #expect(throws: FakeRunner.Interrupted.self) { try run(comparison, first, resume: false) }
        #expect(first.ran.count == stopsAfter)
        let second = FakeRunner()
        let results = try run(comparison, second)
        #expect(first.ran + second.ran == comparison.cells.map(\.key))
        #expect(results.finishedCells == 8)
        for file in ["comparison.json", "index.html", "cells/n4-fold0-seed2-S3D/result.json"] {
            #expect(try text(file) == text(file, in: undisturbed))
        }
    }

    @Test("runs nothing twice")
    func finished() throws {
        let comparison = try Comparison.small()
        _ = try run(comparison, FakeRunner())
        let again = FakeRunner()
        _ = try run(comparison, again)
        #expect(again.ran.isEmpty)
    }

    @Test("can be extended by seeds, sizes and initializations")
    func extended() throws {
        _ = try run(try Comparison.small(), FakeRunner())
        let runner = FakeRunner()
        let larger = try Comparison.small(
            initializations: [
                .scratch, Initialization(name: "S3D", weights: "s3d.safetensors"), Initialization(name: "MG"),
            ],
            sizes: [2, 4, 6], seeds: [1, 2, 3])
        _ = try run(larger, runner)
        #expect(runner.ran.count == 3 * 3 * 3 - 8)
    }

    @Test("takes equal cells of another comparison, whatever they are called there")
    func reused() throws {
        let other = TemporaryFolder()
        func comparison(_ name: String, digest: String, seeds: [UInt64], data: String = "d") throws -> Comparison {
            try Comparison(
                dataset: "Phantoms", caseNames: (0..<10).map { "c0\($0)" }, classNames: ["a", "b"],
                initializations: [
                    Initialization(name: "\(name) baseline"),
                    Initialization(name: name, weights: "\(name).safetensors", digest: digest),
                ],
                sizes: [2, 4], split: .everyFifthHeldOut, seeds: seeds, dataDigest: data)
        }
        func run(_ comparison: Comparison, in folder: TemporaryFolder, reusing: [String] = []) throws -> [CellKey] {
            var run = ComparisonRun(comparison, folder: folder.path)
            run.bootstrap.repetitions = 50
            run.reused = reusing
            let runner = FakeRunner()
            _ = try run.run(with: runner, resume: false)
            return runner.ran
        }
        #expect(try run(comparison("S3D", digest: "x", seeds: [1]), in: other).count == 4)
        // The same weights and the same random start under other names, and a seed more: only the seed is run.
        let ran = try run(comparison("long", digest: "x", seeds: [1, 2]), in: folder, reusing: [other.path])
        #expect(ran.map(\.seed) == [2, 2, 2, 2])
        // Other weights, and other data.
        let (weights, data) = (TemporaryFolder(), TemporaryFolder())
        let changed = try run(comparison("S3D", digest: "y", seeds: [1]), in: weights, reusing: [other.path])
        #expect(changed.map(\.initialization) == ["S3D", "S3D"])
        #expect(
            try run(comparison("S3D", digest: "x", seeds: [1], data: "e"), in: data, reusing: [other.path]).count == 4)
    }

    @Test("does not start over a comparison without being told to")
    func alreadyStarted() throws {
        let comparison = try Comparison.small()
        _ = try run(comparison, FakeRunner())
        #expect(throws: ComparisonError.alreadyStarted(folder: folder.path)) {
            try run(comparison, FakeRunner(), resume: false)
        }
    }

    @Test("never mixes results of other settings")
    func otherSettings() throws {
        _ = try run(try Comparison.small(), FakeRunner())
        let runner = FakeRunner()
        let error = #expect(throws: ComparisonError.self) {
            try run(try Comparison.small(recipe: "steps: 1000"), runner)
        }
        #expect("\(try #require(error))".contains("fine-tuning recipe differs"))
        let other = #expect(throws: ComparisonError.self) {
            try run(
                try Comparison.small(initializations: [.scratch, Initialization(name: "S3D", weights: "other")]), runner
            )
        }
        #expect("\(try #require(other))".contains("initialization differs"))
        #expect(runner.ran.isEmpty)
    }

    @Test("never mixes results of other teachers")
    func otherTeachers() throws {
        func comparison(_ models: String?) throws -> Comparison {
            try Comparison.small(initializations: [Initialization(name: "scratch", models: models)])
        }
        _ = try run(try comparison("a teacher"), FakeRunner())
        let runner = FakeRunner()
        let error = #expect(throws: ComparisonError.self) { try run(try comparison("another"), runner) }
        #expect("\(try #require(error))".contains("content of a teacher"))
        // What is finished can be told of when the teacher is gone.
        #expect(try run(try comparison(nil), runner).finishedCells == 4)
        #expect(runner.ran.isEmpty)
    }

    @Test("names a damaged result, and runs nothing on it", arguments: ["result.json", "transfer/B/scores.json"])
    func damaged(name: String) throws {
        let comparison = try Comparison.small(transfer: [TransferTarget(name: "B", dataset: "b", cases: ["x"])])
        _ = try run(comparison, FakeRunner())
        let file = "\(folder.path)/cells/n2-fold0-seed1-S3D/\(name)"
        let whole = try String(contentsOfFile: file, encoding: .utf8)
        // Unfinished; another score, which is as good a number as any; and as an earlier version wrote it.
        let checksum = try #require(whole.firstMatch(of: #/  "checksum" : \d+,\n/#)).output
        for (text, reason) in [
            ("{", "JSON"), (whole.replacing("0.4", with: "0.5", maxReplacements: 1), "checksum"),
            (whole.replacing(/0\.\d+/, with: "0.123", maxReplacements: 1), "checksum"),
            (whole.replacing(checksum, with: ""), "an earlier version"),
        ] where text != whole {
            try Data(text.utf8).write(to: URL(filePath: file))
            let runner = FakeRunner()
            let thrown = #expect(throws: ComparisonError.self) { try run(comparison, runner) }
            let error = try #require(thrown)
            #expect("\(error)".contains(file) && "\(error)".contains(reason) && error.exitCode == 65)
            #expect(runner.ran.isEmpty && runner.tested.isEmpty)
            #expect(throws: ComparisonError.self) { try Verification(of: folder.path) }
        }
        try Data(whole.utf8).write(to: URL(filePath: file))
        #expect(try Verification(of: folder.path).intact == 16)
    }

    @Test("does not accept a run that scored too little")
    func incomplete() throws {
        struct Lazy: CellRunner {
            var outcome: CellOutcome
            func run(_ cell: Cell, in folder: String) throws -> CellOutcome { outcome }
            func test(_ cell: Cell, on target: TransferTarget, in folder: String) throws -> CellOutcome { outcome }
        }
        let comparison = try Comparison.small()
        for cases in [
            [CaseDice(name: "c00", dice: [1, 1])],
            [CaseDice(name: "c00", dice: [1, 1]), CaseDice(name: "c05", dice: [1])],
            [
                CaseDice(name: "c00", dice: [1, 1]), CaseDice(name: "c05", dice: [1, 1]),
                CaseDice(name: "c01", dice: [1, 1]),
            ],
        ] {
            #expect(throws: ComparisonError.self) {
                try ComparisonRun(comparison, folder: folder.path).run(
                    with: Lazy(outcome: CellOutcome(cases: cases, steps: 1, seconds: 1)), resume: true)
            }
        }
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/cells/n2-fold0-seed1-scratch/result.json"))
    }

    @Test("tells where it is")
    func events() throws {
        let comparison = try Comparison.small(sizes: [2], seeds: [1])
        var lines: [String] = []
        let report: (ComparisonRun.Event) -> Void = { event in
            switch event {
            case .found(let cell, let finished, let all): lines.append("found \(cell.key.id) \(finished)/\(all)")
            case .started(let cell, let finished, let all): lines.append("start \(cell.key.id) \(finished)/\(all)")
            case .finished(let cell, let dice, let finished, let all):
                lines.append("done \(cell.key.id) \((dice * 1000).rounded() / 1000) \(finished)/\(all)")
            case .tested(let cell, let target, _): lines.append("tested \(cell.key.id) on \(target.name)")
            }
        }
        #expect(throws: FakeRunner.Interrupted.self) {
            try ComparisonRun(comparison, folder: folder.path)
                .run(with: FakeRunner(stopsAfter: 1), resume: false, report: report)
        }
        try ComparisonRun(comparison, folder: folder.path).run(with: FakeRunner(), resume: true, report: report)
        #expect(
            lines == [
                "start n2-fold0-seed1-scratch 0/2", "done n2-fold0-seed1-scratch 0.57 1/2",
                "start n2-fold0-seed1-S3D 1/2",
                "found n2-fold0-seed1-scratch 1/2", "start n2-fold0-seed1-S3D 1/2", "done n2-fold0-seed1-S3D 0.585 2/2",
            ])
    }
}
