import Tensors

/// A prediction was interrupted; the images that are done keep their results.
struct PredictionInterrupted: UserFacingError {
    let folder: String

    var exitCode: Int32 { ExitStatus.interrupted }
    var description: String { "interrupted; the same command goes on with the images that \(folder) lacks." }
}
