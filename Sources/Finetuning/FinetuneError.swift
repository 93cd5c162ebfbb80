import Networks
import Tensors
import Volumes

/// Why a fine-tuning cannot begin or go on.
public enum FinetuneError: UserFacingError {
    /// A plan file was made for another dataset.
    case otherPlan(file: String, channels: Int, classes: Int, dataset: NNUNetDataset)
    /// A case that is to be trained on and to be validated on.
    case overlappingSplit(case: String)
    /// A run was begun with other data or weights.
    case otherSetup(folder: String, difference: String)
    /// Pre-trained weights do not tell how their images were preprocessed, so others cannot be made like them.
    case unknownPreprocessing(weights: String, reason: String)
    /// The network shall be that of the weights, but there are none.
    case networkOfNoWeights
    /// The network shall be that of the weights, but nothing is known of them.
    case unknownNetwork(weights: String)
    /// Med3D's heads stand behind ResNets, and the weights are for something else.
    case headWithoutResNet(weights: String, theirs: String)
    /// The weights are for another kind of encoder.
    case otherEncoder(weights: String, theirs: String, network: String)
    /// A run's setup cannot be read.
    case damagedSetup(file: String, reason: String)
    /// A low-resolution plan for images that are small enough without.
    case noLowResolution(dataset: String)
    /// Adapters were asked for, but no pre-trained convolution lies in these modules.
    case nothingAdapted(modules: [String])
    /// An image without labels is one that the run validates or is tested on.
    case hiddenImage(file: String, case: String)
    /// A teacher was trained on a case that the run validates or is tested on.
    case informedTeacher(run: String, case: String)
    /// A teacher sees images in another way, or other classes in them.
    case otherTeacher(run: String, difference: String)
    /// The run that is to find regions sees other channels than the dataset has.
    case otherChannelsOfRegions(run: String, theirs: [String], dataset: [String])
    /// The recipe's teacher has no runs.
    case noTeacher
    /// Pseudo-labels of no images.
    case nothingUnlabeled
    /// Half of a batch of one.
    case noHalfBatch
    /// Layers that count batches would see each of them twice.
    case recomputedBatchNorms
    /// A teacher's opinion is about whole images, and the network sees regions.
    case teacherOfRegions
    /// A recipe for whole images that is given labels of voxels, or the other way round.
    case otherKindOfTask(dataset: String, classifies: Bool)
    /// A switch that needs labels of voxels, in a classification.
    case needsVoxelLabels(key: String, use: String)
    /// A loss that compares classes, for a dataset whose regions overlap.
    case lossOfRegions(kind: String)

    /// 64 where the request is wrong, 65 where a file is.
    public var exitCode: Int32 {
        switch self {
        case .damagedSetup, .unknownNetwork, .otherEncoder, .hiddenImage, .informedTeacher: ExitStatus.badData
        default: ExitStatus.usage
        }
    }

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .otherPlan(let file, let channels, let classes, let dataset):
            "the plan \(file) is for \(channels) channels and \(classes) classes, the dataset \(dataset.name) has "
                + "\(dataset.channelNames.count) and \(dataset.outputChannels).\nMake one with `warmstart plan`."
        case .overlappingSplit(let name):
            "case \(name) is among the training and the validation cases; a validation on it would prove nothing."
        case .otherSetup(let folder, let difference):
            "\(folder) was begun with other \(difference).\nResume with the same, or choose another --out."
        case .unknownPreprocessing(let weights, let reason):
            "\(weights) \(reason), so images cannot be preprocessed alike.\nUse plan.preprocessing=like-dataset."
        case .networkOfNoWeights:
            "plan.preset=of-weights takes the network from the weights to start from, and here are none.\n"
                + "Give some with --init, or name a preset such as resenc-s; a comparison with scratch needs a name."
        case .unknownNetwork(let weights):
            "\(weights) holds tensors of an unknown network, so none can be built for plan.preset=of-weights.\n"
                + "`warmstart weights show \(weights) --tensors` lists them."
        case .headWithoutResNet(let weights, let theirs):
            "\(weights) is for \(theirs), which has a decoder of its own: plan.head must be unet."
        case .otherEncoder(let weights, let theirs, let network):
            "\(weights) is for \(theirs); the network to be trained has \(network).\n"
                + "Train the network of the weights: --set plan.preset=of-weights."
        case .noLowResolution(let dataset):
            "\(dataset) needs no 3d_lowres: a patch of 3d_fullres sees enough of an image.\nUse 3d_fullres."
        case .teacherOfRegions: "teachers look at whole images: use teacher.kind=none with region.margin_mm."
        case .otherKindOfTask(let dataset, let classifies):
            classifies
                ? "plan.head=classification wants a class for each case, but \(dataset) was read with labels of voxels."
                : "\(dataset) has a class for each case, which only plan.head=classification learns."
        case .needsVoxelLabels(let key, let use):
            "\(key) needs labels of voxels, and a classification has none.\nUse \(use)."
        case .lossOfRegions(let kind):
            "the loss '\(kind)' needs one class per voxel, but this dataset's regions overlap.\nUse loss.kind=dice_ce."
        case .recomputedBatchNorms:
            "memory.recompute=true computes a batch in parts, and some twice: \(BatchNorm.undividedBecause).\n"
                + "Use memory.recompute=false, or a network with plan.norm=instance or group."
        case .nothingAdapted(let modules):
            "no pre-trained convolution lies in \(modules.joined(separator: ", ")), so LoRA would change nothing.\n"
                + "Name modules that are transferred, such as adapters.modules=[encoder]."
        case .hiddenImage(let file, let name):
            "\(file) is the image of case \(name), which this run is validated or tested on: it must not be learned from.\n"
                + "Take it out of data.unlabeled."
        case .informedTeacher(let run, let name):
            "\(run) was trained on case \(name), which this run is validated or tested on: its label would leak.\n"
                + "Use a run of the same fold."
        case .otherChannelsOfRegions(let run, let theirs, let dataset):
            "\(run) cannot find the regions: it sees the channels \(theirs.joined(separator: ", ")), and the dataset has "
                + "\(dataset.joined(separator: ", ")).\nSet region.coarse to a run on this dataset."
        case .otherTeacher(let run, let difference):
            "\(run) cannot teach this network: their \(difference) differ.\nTrain a teacher with the same plan."
        case .noTeacher: "teacher.runs names no run. Give folders of trained runs, such as teacher.runs=[runs/teacher]."
        case .nothingUnlabeled:
            "pseudo-labels need images without labels, and there are none.\n"
                + "Set data.unlabeled to a folder, or to rest-of-dataset."
        case .noHalfBatch:
            "images without labels fill half of every batch, but plan.batch is 1. Use plan.batch=2 or more."
        case .damagedSetup(let file, let reason):
            "\(file) cannot be read (\(reason)). Remove the run's folder and begin again."
        }
    }
}
