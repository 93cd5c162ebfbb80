import Foundation
import Synchronization

/// A request to stop at the next opportunity, saving what was done.
public final class Interruption: Sendable {
    private let flag = Atomic(false)
    private let listensToSignals: Bool

    /// A request that only ``request()`` makes.
    public convenience init() { self.init(listensToSignals: false) }

    private init(listensToSignals: Bool) { self.listensToSignals = listensToSignals }

    /// Whether someone asked to stop.
    public var isRequested: Bool {
        flag.load(ordering: .acquiring) || (listensToSignals && firstSignal.load(ordering: .acquiring) != 0)
    }

    /// Asks to stop.
    public func request() { flag.store(true, ordering: .releasing) }

    /// Calls `body` with an interruption that SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal is gone) request, too. A second
    /// signal ends the process at once, unless it follows within a second: `timeout` and job schedulers send the same one to a
    /// process and to its group. SIGHUP stays ignored where it is, as under `nohup`.
    public static func bySignals<Result>(_ body: (Interruption) throws -> Result) rethrows -> Result {
        firstSignal.store(0, ordering: .releasing)
        let numbers = [SIGINT, SIGTERM] + (isIgnored(SIGHUP) ? [] : [SIGHUP])
        for number in numbers {
            signal(number) { number in
                // Nothing here allocates or locks.
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                let milliseconds = now.tv_sec * 1000 + now.tv_nsec / 1_000_000
                let (isFirst, first) = firstSignal.compareExchange(
                    expected: 0, desired: max(1, milliseconds), ordering: .acquiringAndReleasing)
                if !isFirst, milliseconds - first >= 1000 {
                    signal(number, SIG_DFL)
                    raise(number)
                }
            }
        }
        defer {
            for number in numbers { signal(number, SIG_DFL) }
        }
        return try body(Interruption(listensToSignals: true))
    }
}

/// Whether the process ignores a signal.
private func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
}

/// When the first signal arrived, in milliseconds of the monotonic clock; 0 before. Signals belong to the process, so this does
/// too: a handler can reach nothing else.
private let firstSignal = Atomic(0)
