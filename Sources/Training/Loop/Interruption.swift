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
        flag.load(ordering: .acquiring) || (listensToSignals && signalArrived.load(ordering: .acquiring))
    }

    /// Asks to stop.
    public func request() { flag.store(true, ordering: .releasing) }

    /// Calls `body` with an interruption that SIGINT (Ctrl-C) and SIGTERM request, too. A second signal ends the process
    /// at once.
    public static func bySignals<Result>(_ body: (Interruption) throws -> Result) rethrows -> Result {
        signalArrived.store(false, ordering: .releasing)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                signalArrived.store(true, ordering: .releasing)
                signal(number, SIG_DFL)
            }
        }
        defer {
            for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        }
        return try body(Interruption(listensToSignals: true))
    }
}

/// Signals belong to the process, so this does too: a handler can reach nothing else.
private let signalArrived = Atomic(false)
