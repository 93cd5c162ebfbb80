import Tensors

/// A comparison that cannot be run or continued.
public enum ComparisonError: UserFacingError, Equatable {
    /// A list that must not be empty.
    case nothing(String)
    /// Two of a kind with one name.
    case repeated(String, String)
    /// An initialization whose name cannot be the name of a folder.
    case unusableName(String)
    /// A training-set size below 1.
    case sizeOutOfRange(Int)
    /// A held-out case that the dataset does not have.
    case unknownCase(String)
    /// A split that leaves nothing to train on or nothing to test.
    case tooFewCases(Int, Split)
    /// The output folder already holds a comparison.
    case alreadyStarted(folder: String)
    /// A finished cell that was run with other settings.
    case differentCell(file: String, difference: String)
    /// A finished cell that cannot be read.
    case damagedCell(file: String, reason: String)
    /// A `comparison.json` that cannot be read.
    case damagedResults(file: String, reason: String)
    /// A table of subgroups that cannot be read.
    case damagedSubgroups(file: String, reason: String)
    /// Weights that were pre-trained on a test case.
    case seenBefore(weights: String, case: String)
    /// Another dataset to test on that the networks are not made for.
    case otherTask(target: String, difference: String)
    /// A labeled image that another dataset to test on has, too.
    case sharedImage(case: String, target: String, copy: String)
    /// A training in regions without a run that finds them: test labels would have to point to them.
    case regionsOfLabels(String)
    /// Weights that the recipe does not take.
    case unusedWeights(String)
    /// A variant that starts from weights that were not given.
    case unknownWeights(variant: String, name: String)
    /// A runner that did not score exactly the test cases and classes.
    case incompleteScores(CellKey, String)

    /// 65 for wrong data, 64 for wrong settings.
    public var exitCode: Int32 {
        switch self {
        case .seenBefore, .otherTask, .sharedImage, .damagedCell, .damagedResults, .damagedSubgroups, .incompleteScores,
            .tooFewCases:
            ExitStatus.badData
        default: ExitStatus.usage
        }
    }

    /// What is wrong, where, and what to do.
    public var description: String {
        switch self {
        case .nothing(let what): "the comparison names no \(what)."
        case .repeated(let what, let name): "the \(what) \(name) occurs twice in the comparison."
        case .unusableName(let name):
            "\"\(name)\" cannot name an initialization: use letters, digits, spaces and - + . _ only."
        case .sizeOutOfRange(let count): "a training-set size is at least 1, got \(count)."
        case .unknownCase(let name): "the held-out case \(name) is not in the dataset."
        case .tooFewCases(let count, let split):
            "\(count) cases are too few for the split \(split): a fold would have no training or no test case."
        case .alreadyStarted(let folder):
            "\(folder) already holds a comparison. Add --resume to go on with it, or choose another --out."
        case .differentCell(let file, let difference):
            "\(file) comes from other settings: its \(difference) differs.\nChoose another --out, or remove that cell's folder."
        case .damagedCell(let file, let reason):
            "\(file) cannot be read (\(reason)). Remove it to run the cell again."
        case .damagedResults(let file, let reason):
            "\(file) cannot be read (\(reason)). Run the comparison again with --resume to write it anew."
        case .damagedSubgroups(let file, let reason):
            "\(file) is no table of subgroups: \(reason).\nIts first line names the columns, such as case,centre; then one case a line."
        case .otherTask(let target, let difference):
            "\(target) is another task than the comparison's dataset: its \(difference) differ. "
                + "Networks can be tested there only with the same classes and channels, in the same order."
        case .sharedImage(let name, let target, let copy):
            "the image of \(name) is also case \(copy) of \(target): a test there would not be on other patients.\n"
                + "Take it out of one of the two."
        case .regionsOfLabels(let name):
            "\(name) looks at regions of interest, but the recipe names no run that finds them: test cases would be scored where "
                + "their own labels are.\nSet region.coarse=RUN."
        case .unusedWeights(let name):
            "the recipe transfers nothing (transfer: none), so \(name) would be scratch once more. "
                + "Use a recipe that transfers the encoder, or leave --init out."
        case .unknownWeights(let variant, let name):
            "the variant \(variant) starts from weights called \(name).\nGive them: --init \(name)=RUN."
        case .seenBefore(let weights, let name):
            "\(weights) was trained on the test case \(name), or on one of that name: the comparison would be unfair. "
                + "Train without the test cases (data.exclude_from), or test on others."
        case .incompleteScores(let key, let reason): "the run of \(key) \(reason)."
        }
    }
}
