/// Which samples of a step's batch one rank computes, and in which micro-batches.
///
/// Ranks take neighbouring samples, so that together they draw what one process draws.
public struct BatchDivision: Hashable, Sendable {
    /// Samples of the whole batch.
    public let samples: Int
    /// The samples of each micro-batch of this rank, in order.
    public let parts: [Range<Int>]

    /// - Parameters:
    ///   - samples: of the whole batch, over all ranks.
    ///   - microBatch: samples that go through the network at once; nil: as many as a rank has.
    ///   - rank: whose parts to tell.
    ///   - ranks: how many there are. They may have unequal shares if micro-batches do not come out even.
    /// - Throws: ``TrainingError/unevenBatch(samples:microBatch:ranks:)`` if a rank would have nothing to do, or the batch
    ///   does not consist of whole micro-batches.
    public init(samples: Int, microBatch: Int? = nil, rank: Int = 0, ranks: Int = 1) throws {
        self.samples = samples
        let unit = microBatch ?? 1
        let units = samples / unit
        guard samples % unit == 0, units >= ranks else {
            throw TrainingError.unevenBatch(samples: samples, microBatch: microBatch, ranks: ranks)
        }
        let own = units * rank / ranks..<units * (rank + 1) / ranks
        parts =
            microBatch.map { size in own.map { $0 * size..<($0 + 1) * size } } ?? [own]
    }

    /// The share that a part has in the mean over the batch.
    public func weight(of part: Range<Int>) -> Double { Double(part.count) / Double(samples) }
}
