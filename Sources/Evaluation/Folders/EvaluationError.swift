import Tensors

/// Predictions and references that cannot be compared.
public enum EvaluationError: UserFacingError, Equatable {
    /// A folder that is missing or cannot be read.
    case unreadableFolder(String, reason: String)
    /// A folder without NIfTI files.
    case noReferences(folder: String)
    /// Two files of one folder belong to the same case.
    case ambiguousCase(name: String, first: String, second: String)
    /// Cases with a reference but no prediction.
    case missingPredictions(names: [String], folder: String)
    /// Prediction and reference do not lie on the same grid of voxels.
    case differentGrids(prediction: String, reference: String, difference: String)
    /// Labels that the dataset does not have.
    case unknownLabels(file: String, labels: [Int], known: [Int])

    /// 65, or 74 for a folder that cannot be read.
    public var exitCode: Int32 {
        if case .unreadableFolder = self { ExitStatus.inputOutput } else { ExitStatus.badData }
    }

    /// What is wrong, where, and what to do.
    public var description: String {
        switch self {
        case .unreadableFolder(let folder, let reason):
            "cannot read the folder \(folder): \(reason)"
        case .noReferences(let folder):
            "no reference labels in \(folder): expected files such as NAME.nii.gz."
        case .ambiguousCase(let name, let first, let second):
            "case \(name) has two files, \(first) and \(second): keep one of them."
        case .missingPredictions(let names, let folder):
            "no prediction for \(Self.list(names)) in \(folder).\n"
                + "Predict \(names.count == 1 ? "it" : "them") first, or evaluate only what was predicted (--only-predicted)."
        case .differentGrids(let prediction, let reference, let difference):
            "\(prediction) does not lie on the grid of \(reference): \(difference).\n"
                + "Predictions must have the geometry of the original image."
        case .unknownLabels(let file, let labels, let known):
            "\(file) contains the label\(labels.count == 1 ? "" : "s") \(Self.list(labels.map(String.init))), but the "
                + "dataset has only \(Self.list(known.map(String.init)))."
        }
    }

    /// The first few items, and how many more there are.
    private static func list(_ items: [String]) -> String {
        items.count <= 5
            ? items.joined(separator: ", ") : items.prefix(4).joined(separator: ", ") + " and \(items.count - 4) more"
    }
}
