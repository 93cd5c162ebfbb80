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

    /// Calls `body` with an interruption that SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal is gone) request, too. A second
    /// signal ends the process at once. SIGHUP stays ignored where it is, as under `nohup`.
    public static func bySignals<Result>(_ body: (Interruption) throws -> Result) rethrows -> Result {
        signalArrived.store(false, ordering: .releasing)
        let numbers = [SIGINT, SIGTERM] + (isIgnored(SIGHUP) ? [] : [SIGHUP])
        for number in numbers {
            signal(number) { number in
                signalArrived.store(true, ordering: .releasing)
                signal(number, SIG_DFL)
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

/// Signals belong to the process, so this does too: a handler can reach nothing else.
private let signalArrived = Atomic(false)
