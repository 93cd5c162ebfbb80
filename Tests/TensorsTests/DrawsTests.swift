import Foundation
import Tensors
import Testing

struct DrawsTests {
    /// Known answers of Random123 1.14 (`kat_vectors`, philox4x32 10).
    @Test(
        arguments: [
            ([0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            (
                [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
            ),
        ] as [([UInt32], [UInt32], [UInt32])])
    func philoxKnownAnswers(counter: [UInt32], key: [UInt32], expected: [UInt32]) {
        let words = Philox.words(counter: SIMD4(counter), key: SIMD2(key))
        #expect((0..<4).map { words[$0] } == expected)
    }

    @Test("a stream is a function of seed, purpose, step and sample, and of nothing else")
    func streamsAreIndependent() {
        func first(_ seed: UInt64, _ purpose: Draws.Purpose, _ step: Int, _ sample: Int) -> UInt64 {
            var draws = Draws(seed: seed, purpose: purpose, step: step, sample: sample)
            return draws.next()
        }
        #expect(first(1, "a", 2, 3) == first(1, "a", 2, 3))
        let all = [
            first(1, "a", 2, 3), first(2, "a", 2, 3), first(1, "b", 2, 3), first(1, "a", 3, 3), first(1, "a", 2, 4),
        ]
        #expect(Set(all).count == all.count)
    }

    @Test func distributions() {
        var draws = Draws(seed: 7, purpose: "tests")
        let normals = (0..<20_000).map { _ in draws.normal() }
        let mean = normals.reduce(0, +) / 20_000
        let variance = normals.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
        // Five standard errors of the mean and of the variance.
        #expect(abs(mean) < 5 / 20_000.0.squareRoot())
        #expect(abs(variance - 1) < 5 * (2 / 20_000.0).squareRoot())
        #expect(draws.permutation(of: 50).sorted() == Array(0..<50))
        let integers = Set((0..<1000).map { _ in draws.integer(in: 3...7) })
        #expect(integers == [3, 4, 5, 6, 7])
        let uniforms = (0..<1000).map { _ in draws.uniform(in: -2..<3) }
        #expect(uniforms.allSatisfy { (-2..<3).contains($0) })
    }
}
