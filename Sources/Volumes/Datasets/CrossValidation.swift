import Foundation

/// One division of a dataset's labeled cases, both lists sorted.
public struct CrossValidationFold: Sendable, Hashable {
    /// The cases to train on.
    public var training: [String]
    /// The cases to validate on.
    public var validation: [String]
}

extension NNUNetDataset {
    /// The file beside `dataset.json` that may hold the folds, as nnU-Net stores them.
    public static let splitsFile = "splits_final.json"

    /// The folds of cross-validation: those of `splits_final.json` if the dataset has one, else the five that nnU-Net deals.
    ///
    /// nnU-Net permutes the sorted names with scikit-learn's `KFold(5, shuffle=True, random_state=12345)`.
    /// - Throws: ``DatasetError/badDescription(path:problem:)`` for a file that cannot be read, names cases that there are
    ///   not, or validates on cases that it trains on; ``DatasetError/tooFewCases(path:count:)``.
    public func crossValidation() throws -> [CrossValidationFold] {
        let file = "\(path)/\(Self.splitsFile)"
        let names = trainingCases.map(\.name).sorted()
        guard let data = FileManager.default.contents(atPath: file) else {
            guard names.count >= 5 else { throw DatasetError.tooFewCases(path: path, count: names.count) }
            return Self.dealt(names, folds: 5)
        }
        struct Entry: Decodable {
            var train, val: [String]
        }
        func wrong(_ problem: String) -> DatasetError { .badDescription(path: file, problem: problem) }
        guard let entries = try? JSONDecoder().decode([Entry].self, from: data), !entries.isEmpty else {
            throw wrong("expected a list of folds, each with the lists train and val")
        }
        return try entries.enumerated().map { index, entry in
            if let unknown = (entry.train + entry.val).first(where: { !names.contains($0) }) {
                throw wrong("fold \(index) names \(unknown), which is no labeled case of this dataset")
            }
            if let shared = entry.train.first(where: entry.val.contains) {
                throw wrong("fold \(index) trains and validates on \(shared)")
            }
            guard !entry.train.isEmpty, !entry.val.isEmpty else { throw wrong("fold \(index) has an empty list") }
            return CrossValidationFold(training: entry.train.sorted(), validation: entry.val.sorted())
        }
    }

    /// The folds of scikit-learn's shuffled `KFold` with nnU-Net's seed: the permuted names are cut into runs, the first of
    /// them one longer where the number does not divide.
    private static func dealt(_ names: [String], folds: Int) -> [CrossValidationFold] {
        var order = Array(names.indices)
        var generator = MersenneTwister(seed: 12345)
        for index in order.indices.dropFirst().reversed() {
            order.swapAt(index, generator.integer(upTo: index))
        }
        var start = 0
        return (0..<folds).map { fold in
            let count = names.count / folds + (fold < names.count % folds ? 1 : 0)
            let chosen = Set(order[start..<start + count])
            start += count
            return CrossValidationFold(
                training: names.indices.filter { !chosen.contains($0) }.map { names[$0] },
                validation: chosen.sorted().map { names[$0] })
        }
    }
}

/// NumPy's legacy generator, MT19937 (Matsumoto and Nishimura 1998): only to deal the same folds as nnU-Net does.
struct MersenneTwister {
    private var state: [UInt32]
    private var next = 624

    init(seed: UInt32) {
        state = [seed]
        for index in 1..<624 {
            let last = state[index - 1]
            state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index))
        }
    }

    /// 32 random bits.
    mutating func word() -> UInt32 {
        if next == 624 { refill() }
        var word = state[next]
        next += 1
        word ^= word >> 11
        word ^= word << 7 & 0x9D2C_5680
        word ^= word << 15 & 0xEFC6_0000
        return word ^ word >> 18
    }

    /// A number in `0...largest`: words are masked, and drawn again where they are too large.
    mutating func integer(upTo largest: Int) -> Int {
        guard largest > 0 else { return 0 }
        let mask = UInt32.max >> UInt32(largest).leadingZeroBitCount
        while true {
            let value = Int(word() & mask)
            if value <= largest { return value }
        }
    }

    private mutating func refill() {
        for index in 0..<624 {
            let bits = state[index] & 0x8000_0000 | state[(index + 1) % 624] & 0x7FFF_FFFF
            state[index] = state[(index + 397) % 624] ^ bits >> 1 ^ (bits & 1 == 1 ? 0x9908_B0DF : 0)
        }
        next = 0
    }
}
