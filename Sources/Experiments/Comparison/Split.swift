import Tensors

extension Draws.Purpose {
    static let folds: Self = "folds of a comparison"
    static let trainingSubset: Self = "training subset"
}

/// Which cases networks are trained on and which they are tested on.
public enum Split: Sendable, Hashable {
    /// Every fifth of the sorted names, the first among them, is held out: no stage of any network, pre-training
    /// included, may see it.
    case everyFifthHeldOut
    /// Cross-validation: the cases, permuted, are dealt to this many folds; each is the test set once.
    case folds(Int)
    /// These cases are held out.
    case heldOut([String])
    /// The dataset's own cross-validation (`splits_final.json`, or nnU-Net's five folds): each list is the test set once.
    case stored([[String]])

    /// One division of the cases into a pool for training and a test set, both sorted.
    public struct Fold: Sendable, Hashable {
        /// The cases that training subsets are drawn from.
        public var training: [String]
        /// The cases that scores come from.
        public var test: [String]

        /// A division into these cases.
        public init(training: [String], test: [String]) { (self.training, self.test) = (training, test) }

        /// The first cases of a permutation of the training cases: subsets of one seed are nested.
        /// - Parameter index: the fold's place in its split; each fold has its own permutation.
        public func trainingSubset(_ size: TrainingSize, index: Int, seed: UInt64) -> [String] {
            var draws = Draws(seed: seed, purpose: .trainingSubset, sample: index)
            let permuted = draws.permutation(of: training.count).map { training[$0] }
            return switch size {
            case .cases(let count): Array(permuted.prefix(count))
            case .full: permuted
            }
        }
    }

    /// The folds into which `caseNames` are divided. They depend on the names only, not on their order.
    public func divide(_ caseNames: [String]) -> [Fold] {
        let names = caseNames.sorted()
        let testSets: [Set<String>] =
            switch self {
            case .everyFifthHeldOut: [Set(stride(from: 0, to: names.count, by: 5).map { names[$0] })]
            case .heldOut(let test): [Set(test)]
            case .stored(let tests): tests.map(Set.init)
            case .folds(let count): Self.deal(names, among: count)
            }
        return testSets.map { test in
            Fold(training: names.filter { !test.contains($0) }, test: names.filter(test.contains))
        }
    }

    private static func deal(_ names: [String], among count: Int) -> [Set<String>] {
        // A fixed seed: the test sets belong to the dataset, not to a run.
        var draws = Draws(seed: 0, purpose: .folds)
        let order = draws.permutation(of: names.count)
        return (0..<count).map { fold in
            Set(order.indices.filter { $0 % count == fold }.map { names[order[$0]] })
        }
    }
}

extension Split: Codable, CustomStringConvertible {
    /// A name for recipes and reports: `every-fifth-held-out`, `5-fold`, `stored` or `held-out`.
    public var description: String {
        switch self {
        case .everyFifthHeldOut: "every-fifth-held-out"
        case .folds(let count): "\(count)-fold"
        case .heldOut: "held-out"
        case .stored: "stored"
        }
    }

    /// A split by its name, `every-fifth-held-out`, `stored` (whose folds the dataset gives) or for example `5-fold`; nil
    /// for any other.
    public init?(_ name: String) {
        if name == "every-fifth-held-out" {
            self = .everyFifthHeldOut
        } else if name == "stored" {
            self = .stored([])
        } else if name.hasSuffix("-fold"), let count = Int(name.dropLast(5)), count >= 2 {
            self = .folds(count)
        } else {
            return nil
        }
    }

    /// Reads a name, the list of cases that are held out, or the lists of a stored cross-validation.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let tests = try? container.decode([[String]].self) {
            self = .stored(tests)
        } else if let cases = try? container.decode([String].self) {
            self = .heldOut(cases)
        } else if let split = Split(try container.decode(String.self)) {
            self = split
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected every-fifth-held-out, K-fold or a list of cases")
        }
    }

    /// Writes the name, or the lists of cases.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .heldOut(let cases): try container.encode(cases)
        case .stored(let tests): try container.encode(tests)
        case .everyFifthHeldOut, .folds: try container.encode(description)
        }
    }
}
