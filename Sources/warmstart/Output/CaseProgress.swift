import Synchronization
import Training

/// The progress of a work on cases, which threads report in any order.
final class CaseProgress: Sendable {
    private struct State {
        var progress: Progress
        var done = 0
    }

    private let state: Mutex<State>

    init(_ title: String, total: Int) {
        state = Mutex(State(progress: Progress(title, total: total, unit: "case")))
    }

    /// One more case is done.
    func advance(note: String = "") {
        state.withLock { state in
            state.done += 1
            state.progress.advance(to: state.done, note: note)
        }
    }

    /// Everything is done.
    func finish() { state.withLock { $0.progress.finish() } }
}
