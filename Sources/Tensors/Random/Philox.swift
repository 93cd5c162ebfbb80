/// The counter-based generator Philox 4x32 with 10 rounds: a bijection of a 128-bit counter under a 64-bit key.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
package enum Philox {
    /// The four random words at `counter` under `key`.
    package static func words(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var (state, key) = (counter, key)
        for _ in 0..<10 {
            let first = state[0].multipliedFullWidth(by: 0xD251_1F53)
            let second = state[2].multipliedFullWidth(by: 0xCD9E_8D57)
            state = [second.high ^ state[1] ^ key[0], second.low, first.high ^ state[3] ^ key[1], first.low]
            key = key &+ [0x9E37_79B9, 0xBB67_AE85]
        }
        return state
    }
}
