import Foundation

/// A stream of random numbers that is a pure function of (seed, purpose, step, sample, draw).
///
/// Nothing is shared between streams and nothing needs saving: any batch of any step can be made again alone, on any
/// thread, in any order.
public struct Draws: RandomNumberGenerator, Sendable {
    /// What the numbers decide. Streams of different purposes are independent.
    public struct Purpose: ExpressibleByStringLiteral, Hashable, Sendable {
        let code: UInt32

        /// A purpose known by its name; the name's 32-bit FNV-1a hash enters the counter.
        public init(stringLiteral name: String) {
            code = name.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        }
    }

    private let key: SIMD2<UInt32>
    private var counter: SIMD4<UInt32>
    private var words: SIMD4<UInt32> = .zero
    private var wordsLeft = 0

    /// The stream of `purpose` at a step of training and a sample of its batch.
    public init(seed: UInt64, purpose: Purpose, step: Int = 0, sample: Int = 0) {
        check(step >= 0 && sample >= 0, "draws are indexed by non-negative step and sample, got \(step) and \(sample)")
        key = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)]
        counter = [0, UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: step), purpose.code]
    }

    private mutating func nextWord() -> UInt32 {
        if wordsLeft == 0 {
            words = Philox.words(counter: counter, key: key)
            counter[0] &+= 1
            wordsLeft = 4
        }
        wordsLeft -= 1
        return words[3 - wordsLeft]
    }

    /// 64 random bits.
    public mutating func next() -> UInt64 {
        let low = UInt64(nextWord())
        return UInt64(nextWord()) << 32 | low
    }

    /// A number in `0..<1`, a multiple of 2⁻⁵³.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A number in `range`.
    public mutating func uniform(in range: Range<Double>) -> Double {
        range.lowerBound + uniform() * (range.upperBound - range.lowerBound)
    }

    /// An integer in `range`, each equally likely.
    public mutating func integer(in range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

    /// An integer in `range`, both ends included, each equally likely.
    public mutating func integer(in range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// True with this probability.
    public mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// A number from the standard normal distribution, by Box and Muller's transform.
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    /// The numbers `0..<count` in random order (Fisher and Yates).
    public mutating func permutation(of count: Int) -> [Int] { Array(0..<count).shuffled(using: &self) }
}
