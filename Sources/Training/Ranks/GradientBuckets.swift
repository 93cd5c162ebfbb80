import Foundation
import Ranks
import Tensors

/// Sums gradients over all ranks while the backward pass goes on.
///
/// Parameters are packed into buckets from the last layer to the first, about as their gradients become ready. A full bucket is
/// summed on a thread of its own; the order of buckets is the same on all ranks. Li et al. 2020, 'PyTorch Distributed',
/// arXiv:2006.15704.
///
/// `@unchecked Sendable`: what both threads change is guarded by `lock`; a bucket belongs to the caller until it is full, then
/// to the thread until it is summed.
package final class GradientBuckets: @unchecked Sendable {
    /// Numbers in a bucket: 16 MB, much for one message, little beside a network.
    private static let size = 1 << 22

    /// Neighbouring parameters and their gradients, padded to what ``RankSum`` wants.
    private final class Bucket {
        var parameters: [(parameter: Parameter, offset: Int)] = []
        var count = 0
        var missing = 0
        var values = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)

        deinit { values.deallocate() }
    }

    private let sum: RankSum
    private let parameters: [Parameter]
    private let buckets: [Bucket]
    private let bucketOf: [ObjectIdentifier: (bucket: Int, offset: Int)]
    private let scratch: UnsafeMutableBufferPointer<Float>
    private let lock = NSCondition()
    private var filled = 0
    private var summed = 0
    private var isClosed = false

    /// Buckets for the gradients of `parameters`, in the order of the network.
    init(_ parameters: [Parameter], ranks: any Communicator) {
        let sum = RankSum(ranks)
        self.sum = sum
        self.parameters = parameters
        var places: [ObjectIdentifier: (bucket: Int, offset: Int)] = [:]
        let backwards = Array(parameters.reversed())
        let groups = Self.groups(backwards.map(\.value.shape.count))
        let buckets = groups.map { _ in Bucket() }
        for (index, group) in groups.enumerated() {
            let bucket = buckets[index]
            for parameter in backwards[group] {
                places[ObjectIdentifier(parameter)] = (index, bucket.count)
                bucket.parameters.append((parameter, bucket.count))
                bucket.count += parameter.value.shape.count
            }
            bucket.values = .allocate(capacity: sum.paddedCount(bucket.count))
            bucket.values.initialize(repeating: 0)
            bucket.missing = bucket.parameters.count
        }
        check(places.count == parameters.count, "a parameter occurs twice in the network")
        (self.buckets, bucketOf) = (buckets, places)
        scratch = .allocate(capacity: buckets.map(\.values.count).max() ?? 0)
        scratch.initialize(repeating: 0)
        let thread = Thread { [weak self] in
            while let step = self?.nextToSum() { step() }
        }
        thread.name = "gradients"
        thread.stackSize = 1 << 21
        thread.start()
    }

    deinit { scratch.deallocate() }

    /// Which neighbours of a list share a bucket, given how many numbers each has.
    package static func groups(_ counts: [Int]) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var (start, sum) = (0, 0)
        for (index, count) in counts.enumerated() {
            sum += count
            guard sum >= size || index == counts.count - 1 else { continue }
            groups.append(start..<index + 1)
            (start, sum) = (index + 1, 0)
        }
        return groups
    }

    /// Whether these are the buckets of some parameters.
    func serve(_ others: [Parameter]) -> Bool {
        parameters.count == others.count && zip(parameters, others).allSatisfy { $0 === $1 }
    }

    /// Takes this rank's gradient of a parameter; its bucket goes off when it was the last one.
    func add(_ gradient: Tensor, of parameter: Parameter) {
        guard let (index, offset) = bucketOf[ObjectIdentifier(parameter)] else { return }
        let bucket = buckets[index]
        gradient.withScalars { scalars in
            _ = UnsafeMutableBufferPointer(rebasing: bucket.values[offset..<offset + scalars.count])
                .update(fromContentsOf: scalars)
        }
        bucket.missing -= 1
        sendFilled()
    }

    /// Waits until every bucket is summed, after each parameter was added or skipped.
    func finish() {
        lock.lock()
        while summed < buckets.count { lock.wait() }
        (filled, summed) = (0, 0)
        lock.unlock()
        for bucket in buckets { bucket.missing = bucket.parameters.count }
    }

    /// The sums over all ranks, after ``finish()``, of some of the parameters.
    func sums(of present: [Parameter]) -> Gradients {
        var gradients = Gradients()
        for parameter in present {
            guard let (index, offset) = bucketOf[ObjectIdentifier(parameter)] else { continue }
            let shape = parameter.value.shape
            gradients[parameter] = Tensor(uninitialized: shape, on: parameter.value.cpu) { memory in
                let source = buckets[index].values[offset..<offset + shape.count]
                _ = memory.initialize(fromContentsOf: UnsafeMutableBufferPointer(rebasing: source))
            }
        }
        return gradients
    }

    /// Counts 0 for a parameter of which this rank has no gradient.
    func skip(_ parameter: Parameter) {
        guard let (index, offset) = bucketOf[ObjectIdentifier(parameter)] else { return }
        let count = parameter.value.shape.count
        UnsafeMutableBufferPointer(rebasing: buckets[index].values[offset..<offset + count]).update(repeating: 0)
        buckets[index].missing -= 1
        sendFilled()
    }

    /// Lets the thread end.
    func close() {
        lock.lock()
        isClosed = true
        lock.broadcast()
        lock.unlock()
    }

    private func sendFilled() {
        lock.lock()
        while filled < buckets.count, buckets[filled].missing == 0 { filled += 1 }
        lock.broadcast()
        lock.unlock()
    }

    /// The next bucket's sum, when it is full; nil when there will be none.
    private func nextToSum() -> (() -> Void)? {
        lock.lock()
        defer { lock.unlock() }
        while summed >= filled, !isClosed { lock.wait() }
        guard summed < filled else { return nil }
        let bucket = buckets[summed]
        return { [self] in
            sum(
                bucket.values,
                scratch: UnsafeMutableBufferPointer(rebasing: scratch[..<bucket.values.count]))
            lock.lock()
            summed += 1
            lock.broadcast()
            lock.unlock()
        }
    }
}
