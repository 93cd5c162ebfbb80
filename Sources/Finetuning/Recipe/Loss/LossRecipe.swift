import Segmentation
import Tensors
import Training

/// The section `loss` of a recipe: which loss, and its parameters. Each kind has keys of its own.
public struct LossRecipe: Sendable {
    /// The losses there are.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Dice plus cross-entropy, nnU-Net's; of regions that may overlap, Dice plus binary cross-entropy.
        case diceCrossEntropy = "dice_ce"
        /// Cross-entropy, perhaps with class weights.
        case crossEntropy = "ce"
        /// Dice alone.
        case dice
        /// Focal loss.
        case focal
        /// Dice plus focal loss.
        case diceFocal = "dice_focal"
        /// Tversky loss.
        case tversky
        /// Cross-entropy of the worst few per cent of voxels.
        case topK = "top_k"
        /// Dice plus that.
        case diceTopK = "dice_top_k"
        /// Online hard example mining: by share, or by the probability of the label.
        case hardMining = "ohem"
        /// Dice plus the difference of contour sizes.
        case dicePerimeter = "dice_perimeter"
        /// Dice plus cross-entropy, and distances to the reference's border.
        case boundary
        /// Dice plus a Hausdorff loss by distance transforms.
        case hausdorffDistance = "hausdorff_dt"
        /// Dice plus a Hausdorff loss by erosion.
        case hausdorffErosion = "hausdorff_er"
        /// Dice, reweighted by how much of a region is found.
        case regionFocal = "region_focal"
    }

    /// Which loss.
    public let kind: Kind
    /// Whether the loss sees every resolution of the decoder.
    public let deepSupervision: Bool
    private let make: LossMaker

    /// Reads the section. The defaults are nnU-Net's.
    /// - Throws: ``RecipeError``.
    init(reading section: RecipeSection) throws {
        kind = try section.choice("kind", default: .diceCrossEntropy)
        make =
            switch kind {
            case .diceCrossEntropy: try section.diceCrossEntropy()
            case .crossEntropy: try section.weightedCrossEntropy()
            case .dice: try section.dice()
            case .focal: try section.focal()
            case .diceFocal: try section.dicePlus(section.focal(), weight: section.fixedWeight("focal"))
            case .tversky: try section.tversky()
            case .topK: try section.topK()
            case .diceTopK: try section.dicePlus(section.topK(), weight: section.fixedWeight("top_k"))
            case .hardMining: try section.hardMining()
            case .dicePerimeter:
                try section.dicePlus({ PerimeterLoss(ignoredLabel: $0.ignoredLabel) }, weight: section.course())
            case .boundary: try section.boundary()
            case .hausdorffDistance: try section.dicePlus(section.hausdorffDistance(), weight: section.course())
            case .hausdorffErosion: try section.dicePlus(section.hausdorffErosion(), weight: section.course())
            case .regionFocal: try section.regionFocal()
            }
        deepSupervision = try section.bool("deep_supervision", default: true)
    }

    /// The loss for a dataset.
    /// - Throws: ``FinetuneError/lossOfRegions(kind:)`` for a loss of classes where regions may overlap, or what counting
    ///   voxels throws.
    public func loss(for setting: LossSetting) throws -> any SegmentationLoss {
        guard setting.regions == nil || kind == .diceCrossEntropy else {
            throw FinetuneError.lossOfRegions(kind: kind.rawValue)
        }
        return try make(setting)
    }
}

/// Makes a loss, once the dataset is known.
typealias LossMaker = @Sendable (LossSetting) throws -> any SegmentationLoss

/// What losses depend on besides the recipe.
public struct LossSetting {
    /// The classes with background: the channels of the logits, unless there are regions.
    public var classes: Int
    /// The regions, if they may overlap.
    public var regions: Regions?
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?
    /// Whether the plan wants Dice over the batch.
    public var batchDice = false
    /// The edges of a voxel along depth, height and width.
    public var spacingMM: [Double]
    /// Counts the voxels of each class in each training case, `[case][class]`.
    public var voxelCounts: () throws -> [[Int]]

    /// See the properties.
    public init(
        classes: Int, regions: Regions? = nil, ignoredLabel: Int32? = nil, batchDice: Bool = false,
        spacingMM: [Double] = [1, 1, 1], voxelCounts: @escaping () throws -> [[Int]]
    ) {
        (self.classes, self.regions, self.ignoredLabel) = (classes, regions, ignoredLabel)
        (self.batchDice, self.spacingMM, self.voxelCounts) = (batchDice, spacingMM, voxelCounts)
    }
}
