import Experiments
import Testing

@Suite("Plan of a comparison")
struct ComparisonTests {
    @Test("training sets are nested, distinct and the same for every initialization")
    func nested() throws {
        let comparison = try Comparison.small(sizes: [2, 4, 6, .full], seeds: [1, 2, 3])
        for seed in comparison.seeds {
            let sets = comparison.sizes.map { comparison.trainingCases(size: $0, fold: 0, seed: seed) }
            #expect(sets.map(\.count) == [2, 4, 6, 8])
            for (smaller, larger) in zip(sets, sets.dropFirst()) {
                #expect(Array(larger.prefix(smaller.count)) == smaller)
            }
            #expect(Set(sets[3]).count == 8)
        }
        let full = comparison.seeds.map { comparison.trainingCases(size: .full, fold: 0, seed: $0) }
        #expect(Set(full).count == 3, "each seed has its own permutation")
        for cells in Dictionary(grouping: comparison.cells, by: { "\($0.key.size) \($0.key.seed)" }).values {
            #expect(cells.count == 2)
            #expect(cells[0].trainingCases == cells[1].trainingCases)
        }
    }

    @Test("every fifth of the sorted names is held out, and nothing trains on it")
    func everyFifth() throws {
        let names = ["c11", "c03", "c00", "c07", "c05", "c01", "c09", "c02", "c04", "c06", "c08", "c10"]
        let folds = Split.everyFifthHeldOut.divide(names)
        #expect(folds.count == 1)
        #expect(folds[0].test == ["c00", "c05", "c10"])
        #expect(Set(folds[0].training).isDisjoint(with: folds[0].test))
        #expect(folds[0].training.count == 9)
    }

    @Test("folds test every case once", arguments: [2, 3, 5])
    func folds(count: Int) throws {
        let names = (0..<17).map { "case\($0)" }
        let folds = Split.folds(count).divide(names)
        #expect(folds.count == count)
        #expect(folds.flatMap(\.test).sorted() == names.sorted())
        for fold in folds {
            #expect(Set(fold.training + fold.test) == Set(names))
            #expect(fold.training.count + fold.test.count == names.count)
            #expect(abs(fold.test.count - names.count / count) <= 1)
        }
        #expect(folds == Split.folds(count).divide(names.shuffled()))
    }

    @Test("sizes that reach all cases become one")
    func clamped() throws {
        #expect(try Comparison.small(sizes: [30, 4, 8, 4, 2]).sizes == [2, 4, .full])
    }

    @Test("has a cell for each combination, pairs next to each other, with folders of their own")
    func cells() throws {
        let comparison = try Comparison.small(split: .folds(5))
        #expect(comparison.cells.count == 2 * 2 * 5 * 2)
        #expect(Set(comparison.cells.map(\.key.id)).count == comparison.cells.count)
        #expect(comparison.cells[0].key.id == "n2-fold0-seed1-scratch")
        #expect(comparison.cells[1].key.id == "n2-fold0-seed1-S3D")
    }

    @Test("splits have names", arguments: [("every-fifth-held-out", Split.everyFifthHeldOut), ("5-fold", .folds(5))])
    func splitNames(name: String, split: Split) {
        #expect(Split(name) == split)
        #expect(split.description == name)
        #expect(Split("1-fold") == nil)
        #expect(Split("fivefold") == nil)
    }

    @Test("refuses what cannot be compared")
    func errors() throws {
        #expect(throws: ComparisonError.nothing("seeds")) { try Comparison.small(seeds: []) }
        #expect(throws: ComparisonError.nothing("initializations")) { try Comparison.small(initializations: []) }
        #expect(throws: ComparisonError.nothing("training-set sizes")) { try Comparison.small(sizes: []) }
        #expect(throws: ComparisonError.repeated("seed", "1")) { try Comparison.small(seeds: [1, 1]) }
        #expect(throws: ComparisonError.repeated("initialization", "scratch")) {
            try Comparison.small(initializations: [.scratch, .scratch])
        }
        #expect(throws: ComparisonError.unusableName("../x")) {
            try Comparison.small(initializations: [Initialization(name: "../x")])
        }
        #expect(throws: ComparisonError.sizeOutOfRange(0)) { try Comparison.small(sizes: [0]) }
        #expect(throws: ComparisonError.unknownCase("c99")) { try Comparison.small(split: .heldOut(["c99"])) }
        #expect(throws: ComparisonError.tooFewCases(10, .folds(11))) { try Comparison.small(split: .folds(11)) }
    }
}
