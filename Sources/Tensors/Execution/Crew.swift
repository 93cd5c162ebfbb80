import CKernels
import Foundation
import Synchronization

/// What the threads of a pool share. Kept alive by the helpers after the pool is gone.
///
/// Many loops of a training step take hardly longer than a sleeping thread to wake up. So whoever has nothing to do looks out
/// for a while before it sleeps, and a caller waits for those helpers alone that came in time.
///
/// `@unchecked Sendable`: the caller writes `body` and `count` before it opens a loop and after all who joined it have
/// finished, which `current` and `finished` order; `helpers` is set before the first loop and constant afterwards.
final class Crew: @unchecked Sendable {
    /// The threads that ``work()``.
    var helpers = 0
    private var body: (@Sendable (Int) -> Void)?
    private var count = 0
    /// The ``Loop``.
    private let current = Atomic<UInt64>(0)
    /// The iteration to run next.
    private let next = Atomic<Int>(0)
    /// The helpers that joined the loop and found nothing left to do.
    private let finished = Atomic<Int>(0)
    private let isDismissed = Atomic<Bool>(false)
    private let helpersWait = Patience()
    private let callerWaits = Patience()

    /// Runs the iterations of a loop. One caller at a time.
    func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        (self.body, self.count) = (body, count)
        next.store(0, ordering: .relaxed)
        finished.store(0, ordering: .relaxed)
        current.store(Loop(word: current.load(ordering: .relaxed)).following.word, ordering: .sequentiallyConsistent)
        helpersWait.wake()
        drain()
        let joined = Loop(word: current.bitwiseAnd(~Loop.openBit, ordering: .sequentiallyConsistent).oldValue).joined
        callerWaits.wait { finished.load(ordering: .sequentiallyConsistent) == joined }
        self.body = nil
    }

    /// What a helper does until the crew is dismissed.
    func work() {
        var last: UInt64 = 0
        while true {
            helpersWait.wait {
                isDismissed.load(ordering: .sequentiallyConsistent)
                    || Loop(word: current.load(ordering: .sequentiallyConsistent)).isOpen(after: last)
            }
            if isDismissed.load(ordering: .relaxed) { return }
            let loop = Loop(word: current.load(ordering: .relaxed))
            // The loop may have been closed meanwhile, or another helper may have joined first.
            guard loop.isOpen(after: last),
                current.compareExchange(
                    expected: loop.word, desired: loop.word + 1, ordering: .acquiringAndReleasing
                ).exchanged
            else { continue }
            drain()
            last = loop.number
            finished.add(1, ordering: .sequentiallyConsistent)
            callerWaits.wake()
        }
    }

    func dismiss() {
        isDismissed.store(true, ordering: .sequentiallyConsistent)
        helpersWait.wake()
    }

    private func drain() {
        guard let body else { preconditionFailure("a loop without a body") }
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index)
        }
    }
}

/// A loop in a word: its number in the upper half, whether helpers may join it, and how many did.
private struct Loop {
    static let openBit: UInt64 = 1 << 31
    let word: UInt64

    var number: UInt64 { word >> 32 }
    var joined: Int { Int(word & (Self.openBit - 1)) }
    var following: Loop { Loop(word: (number + 1) << 32 | Self.openBit) }
    func isOpen(after last: UInt64) -> Bool { word & Self.openBit != 0 && number != last }
}

/// How threads wait for what another one stores.
private final class Patience: Sendable {
    /// About as long as it takes to fall asleep and to be woken.
    private static let limit = Duration.microseconds(50)
    /// Guards nothing: whoever holds it looks at what it waits for once more before it sleeps, and is woken under it.
    private let bed = NSCondition()
    private let sleepers = Atomic<Int>(0)

    /// Returns when `happened` is true; sleeps if that takes longer. What it looks at is loaded and stored sequentially
    /// consistent.
    func wait(_ happened: () -> Bool) {
        if happened() { return }
        let start = ContinuousClock.now
        repeat {
            for _ in 0..<16 {
                ws_pause()
                if happened() { return }
            }
        } while ContinuousClock.now - start < Self.limit
        bed.lock()
        sleepers.add(1, ordering: .sequentiallyConsistent)
        while !happened() { bed.wait() }
        sleepers.subtract(1, ordering: .sequentiallyConsistent)
        bed.unlock()
    }

    /// Lets everybody who sleeps look again. Either this sees a sleeper, or the sleeper what was stored before.
    func wake() {
        guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
        bed.lock()
        bed.broadcast()
        bed.unlock()
    }
}
