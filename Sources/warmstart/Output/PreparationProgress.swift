import Pretraining
import Synchronization
import Training

/// Shows how far the images of a pre-training are prepared, and which are left out. Notices come on any thread.
final class PreparationProgress: Sendable {
    private let progress = Mutex<Progress?>(nil)

    /// Shows one notice.
    @Sendable func show(_ notice: PretrainingNotice) {
        switch notice {
        case .leftOut(let name, let reason):
            progress.withLock { $0?.interrupt() }
            StandardError.write("left out: \(name): \(reason)\n")
        case .preprocessed(let count, let total):
            progress.withLock { progress in
                if progress == nil { progress = Progress("preprocessing", total: total, unit: "image") }
                progress?.advance(to: count)
                guard count == total else { return }
                progress?.finish()
                progress = nil  // another dataset may follow
            }
        }
    }
}
