import Tensors
import WeightFiles

/// The keys of the last steps: a ring of unit vectors.
public final class KeyQueue {
    /// How many keys there are.
    public let count: Int
    /// Numbers per key.
    public let length: Int
    /// Where the next key goes.
    public private(set) var next = 0
    private var keys: [Float]

    /// A queue of random directions.
    public init(count: Int, length: Int, seed: UInt64) {
        (self.count, self.length) = (count, length)
        var draws = Draws(seed: seed, purpose: "key-queue")
        keys = (0..<count).flatMap { _ in
            let key = (0..<length).map { _ in Float(draws.normal()) }
            let norm = key.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return key.map { $0 / norm }
        }
    }

    /// All keys, `[count, length]`.
    public func tensor(on cpu: CPU) -> Tensor { Tensor(keys, shape: [count, length], on: cpu) }

    /// Replaces the oldest keys by new ones, `[n, length]`.
    public func append(_ new: Tensor) {
        check(new.shape.rank == 2 && new.shape[1] == length, "keys of \(length) numbers, got \(new.shape)")
        let scalars = new.scalars
        for key in 0..<new.shape[0] {
            keys.replaceSubrange(
                next * length..<(next + 1) * length, with: scalars[key * length..<(key + 1) * length])
            next = (next + 1) % count
        }
    }

    /// The keys and the place of the next one.
    var state: [String: StoredTensor] {
        ["queue/keys": StoredTensor(keys, shape: [count, length]), "queue/next": StoredTensor(scalar: Int64(next))]
    }

    /// Takes up ``state``.
    func restore(_ state: SafetensorsFile) throws {
        let stored = try state.tensor("queue/keys")
        guard stored.shape == [count, length] else {
            throw SafetensorsError.badTensor(
                file: state.path, tensor: "queue/keys",
                problem: "its shape is \(stored.shape), the recipe's queue \([count, length])")
        }
        keys = try stored.floats()
        next = try state.tensor("queue/next").integers().first ?? 0
    }
}
