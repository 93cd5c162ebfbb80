import Tensors
import Volumes

/// Why a network cannot be trained on a dataset or applied to an image.
public enum SegmentationError: UserFacingError, Equatable {
    /// A case that should be trained on has no labels.
    case unlabeled(case: String)
    /// A case that the dataset does not have.
    case unknownCase(String, dataset: String)
    /// Nothing to train on.
    case noTrainingCases
    /// Neither a run's folder nor a model's weights.
    case notAModel(path: String, reason: String)
    /// A model that segments where one that classifies is wanted.
    case notAClassifier(path: String)
    /// A model that is to look where another one points, but has learned to look at whole images.
    case noRegion(path: String)
    /// A model that has learned to look inside of regions, which nothing points to.
    case needsRegion(path: String)
    /// Two members of an ensemble were made for different inputs or classes.
    case differentModels(first: String, second: String, difference: String)

    /// 64 where the request is wrong, 65 where the data are.
    public var exitCode: Int32 {
        switch self {
        case .unknownCase, .noTrainingCases, .differentModels, .noRegion, .needsRegion: ExitStatus.usage
        case .unlabeled, .notAModel, .notAClassifier: ExitStatus.badData
        }
    }

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .unlabeled(let name): "case \(name) has no labels; training and validation need them."
        case .unknownCase(let name, let dataset): "\(dataset) has no labeled case \(name)."
        case .noTrainingCases: "there are no cases to train on; choose at least one."
        case .notAModel(let path, let reason):
            "\(path) is no segmentation model: \(reason).\nGive the folder of a fine-tuning run."
        case .notAClassifier(let path):
            "\(path) segments voxels and does not classify images.\nGive runs of one kind."
        case .noRegion(let path):
            "\(path) has learned to look at whole images, so no coarse model can point it to a region.\n"
                + "Train it with region.margin_mm (Finetune/two-stage/fine.yaml), or predict without --coarse."
        case .needsRegion(let path):
            "\(path) has learned to look inside of regions, so another model must find them.\n"
                + "That is what predict --coarse RUN is for; nothing else can use it."
        case .differentModels(let first, let second, let difference):
            "\(first) and \(second) cannot be averaged: their \(difference) differ.\nPredict with one of them."
        }
    }
}
