import Tensors

/// A prediction was interrupted; segmentations that are done stay, a table of classes is written at the end only.
struct PredictionInterrupted: UserFacingError {
    let folder: String
    var keepsResults = true

    var exitCode: Int32 { ExitStatus.interrupted }
    var description: String {
        keepsResults
            ? "interrupted; the same command goes on with the images that \(folder) lacks."
            : "interrupted; nothing was written. The same command begins anew."
    }
}
