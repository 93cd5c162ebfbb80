import Segmentation
import Tensors
import Testing

struct ActiveSelectionTests {
    private let cases: [CaseInterest] = (0..<12).map { (index: Int) -> CaseInterest in
        var item = CaseInterest(name: "c\(index)", entropy: Double(index * 5 % 12))
        item.mutualInformation = Double(index * 7 % 12)
        item.disagreement = Double(index % 3)
        item.gradient = Double(12 - index)
        // Two clusters far apart.
        item.features = [Float(index % 2) * 100, Float(index)]
        return item
    }

    @Test("the order of the cases does not matter", arguments: ActiveSelection.Strategy.allCases, [false, true])
    func permutation(strategy: ActiveSelection.Strategy, isDiverse: Bool) {
        let selection = ActiveSelection(strategy, count: 2, isDiverse: isDiverse, seed: 4)
        let names = selection.ranked(cases).map(\.name)
        #expect(selection.ranked(cases.reversed()).map(\.name) == names && Set(names).count == 12)
        #expect(selection.ranked(cases.shuffled()).map(\.name) == names)
    }

    @Test func theHighestScoreComesFirst() {
        let keys: [(ActiveSelection.Strategy, KeyPath<CaseInterest, Double>)] = [
            (.entropy, \.entropy), (.mutualInformation, \.mutualInformation), (.disagreement, \.disagreement),
            (.gradient, \.gradient),
        ]
        for (strategy, key) in keys {
            let scores = ActiveSelection(strategy, count: 3).ranked(cases).map { $0[keyPath: key] }
            #expect(scores == scores.sorted(by: >), "\(strategy)")
        }
        let ties = ActiveSelection(.disagreement, count: 3).ranked(cases).prefix(4).map(\.name)
        #expect(ties == ["c11", "c2", "c5", "c8"], "of equal scores, by name")
    }

    @Test func withRoomForAllEveryStrategySelectsTheSame() {
        for strategy in ActiveSelection.Strategy.allCases {
            for isDiverse in [false, true] {
                let ranked = ActiveSelection(strategy, count: 12, isDiverse: isDiverse).ranked(cases)
                #expect(Set(ranked.prefix(12).map(\.name)) == Set(cases.map(\.name)))
            }
        }
    }

    @Test func randomFollowsTheSeedOnly() {
        let orders = (0..<3).map { ActiveSelection(.random, count: 3, seed: UInt64($0)).ranked(cases).map(\.name) }
        #expect(orders[0] != orders[1] && orders[1] != orders[2])
        #expect(ActiveSelection(.random, count: 3, seed: 1).ranked(cases).map(\.name) == orders[1])
    }

    /// The best case, then the one farthest from it: of the other cluster.
    @Test func diverseCasesLieFarApart() {
        let plain = ActiveSelection(.gradient, count: 2).ranked(cases).map(\.name)
        #expect(plain.prefix(2) == ["c0", "c1"])
        let diverse = ActiveSelection(.gradient, count: 2, isDiverse: true).ranked(cases).map(\.name)
        // The pool is the ten best: c9 is the farthest from c0.
        #expect(diverse.prefix(2) == ["c0", "c9"] && Set(diverse) == Set(plain))
        #expect(Array(diverse.dropFirst(2)) == plain.filter { $0 != "c0" && $0 != "c9" })
    }
}
