import Augmentation
import Segmentation
import Tensors
import Training
import Volumes

/// Everything that is decided about a fine-tuning but the data and the weights to start from.
///
/// One recipe serves all initializations of a comparison: it holds a schedule for pre-trained weights and one for random
/// ones.
public struct FinetuneRecipe: Sendable {
    /// How much patches are changed before the network sees them.
    public enum AugmentationLevel: String, Sendable, Hashable, CaseIterable {
        /// nnU-Net's: turning, scaling, noise, blur, brightness, contrast, low resolution, gamma, mirroring.
        case full
        /// Without blur, contrast, low resolution and inverted gamma: for a few hundred steps.
        case light
        /// The MedISeg survey's GTAug-A: noise and gamma, every patch.
        case surveyIntensity = "gtaug_a"
        /// The survey's GTAug-B: scaling, quarter turns in plane, mirroring.
        case surveyGeometry = "gtaug_b"
        /// Both.
        case surveyBoth = "gtaug_ab"
        /// Patches as they are.
        case none
    }

    /// Preprocessing, network, patch and batch.
    public var plan: PlanRecipe
    /// Which pre-trained weights are taken.
    public var transfer: TransferMode
    /// Steps of the whole training, to which the schedule is scaled; nil: as many as its stages have.
    public var steps: Int?
    /// Optimizer, schedule with pre-trained weights, log and checkpoints.
    public var training: TrainingRecipe
    /// The schedule without pre-trained weights.
    public var scratch: Schedule
    /// With pre-trained weights: the rate of each layer as a share of that of the next one towards the output; nil: all
    /// the same.
    public var layerDecay: Double?
    /// What is trained in place of pre-trained weights.
    public var adapters: AdapterRecipe
    /// Images without labels.
    public var unlabeled: UnlabeledImages
    /// What is learned from besides labels.
    public var teacher: TeacherRecipe
    /// What of an image the network looks at.
    public var region: RegionRecipe
    /// The loss.
    public var loss: LossRecipe
    /// How patches are changed.
    public var augmentation: AugmentationLevel
    /// The axes (0 depth, 1 height, 2 width) along which patches are mirrored.
    public var mirroredAxes: [Int]
    /// Which patches are drawn around foreground.
    public var oversampling: PatchSampling.Oversampling
    /// Whether structures of other cases are carved into patches.
    public var carveMix: CarveMix?
    /// How many validation cases are predicted during training.
    public var validationCases: Int
    /// The largest distance of neighbouring windows in prediction, as a share of the patch.
    public var windowStep: Double
    /// Whether prediction averages over mirrored windows, along the axes of ``mirroredAxes``.
    public var mirrorsInPrediction: Bool
    /// Which orientations that average is over.
    public var views: TestTimeViews
    /// What is done where nested regions contradict each other.
    public var hierarchy: HierarchyConsistency?
    /// What is corrected in predictions.
    public var postProcessing: PostProcessing?
    /// Decides random weights and all that is drawn.
    public var seed: UInt64

    /// Reads a recipe. The defaults are the S3D study's best schedule with nnU-Net's loss, patches and augmentation.
    /// - Throws: ``RecipeError``.
    public init(reading section: RecipeSection) throws {
        plan = try PlanRecipe(reading: section.section("plan"))
        transfer = try section.choice("transfer", default: .encoder)
        steps = try section.optionalInteger("steps", default: nil, in: 1...1_000_000_000)
        training = try TrainingRecipe(
            reading: section,
            defaults: TrainingRecipe(schedule: .stagedWarmUps, logInterval: 1, validationInterval: 2_500))
        scratch = try Schedule(reading: section.section("scratch"), default: .fromScratch)

        layerDecay = try section.optionalDouble("layer_decay", default: nil, in: 0...1)
        adapters = try AdapterRecipe(reading: section.section("adapters"))
        unlabeled = try UnlabeledImages(reading: section.section("data"))
        teacher = try TeacherRecipe(reading: section.section("teacher"))
        region = try RegionRecipe(reading: section.section("region"))
        loss = try LossRecipe(reading: section.section("loss"))

        let patches = try section.section("patches")
        augmentation = try patches.choice("augmentation", default: .full)
        mirroredAxes = try patches.integers("mirrored_axes", default: [0, 1, 2], in: 0...2)
        let share = try patches.double("foreground_share", default: 0.33, in: 0...1)
        let drawsEach = try patches.choice("oversampling", among: ["share", "probability"], default: "share")
        oversampling = drawsEach == "share" ? .share(share) : .probability(share)
        let mixed = try patches.double("carve_mix", default: 0, in: 0...1)
        carveMix = mixed > 0 ? CarveMix(probability: mixed) : nil

        guard carveMix == nil || !teacher.needsWholePatches else {
            throw patches.error(at: "carve_mix", "this teacher's opinion is about whole patches: use carve_mix: 0")
        }

        let prediction = try section.section("prediction")
        windowStep = try prediction.double("window_step", default: 0.5, in: 0.05...1)
        mirrorsInPrediction = try prediction.bool("mirroring", default: true)
        views = try prediction.choice("views", default: .mirrorings)
        (hierarchy, postProcessing) = try prediction.corrections()
        validationCases = try prediction.integer("validation_cases", default: 8, in: 0...1_000_000)

        seed = UInt64(try section.integer("seed", default: 0))
        guard Set(mirroredAxes).count == mirroredAxes.count else {
            throw patches.error(at: "mirrored_axes", "an axis occurs twice in \(mirroredAxes)")
        }
    }

    /// Reads a recipe with its parents and overrides.
    /// - Returns: the recipe, and all its values, defaults included.
    /// - Throws: ``RecipeError``, ``FileError``.
    public static func load(_ path: String, overrides: [String] = []) throws -> (FinetuneRecipe, ResolvedRecipe) {
        try RecipeDocument.load(path, overrides: overrides).resolve(FinetuneRecipe.init(reading:))
    }

    /// Optimizer and schedule for weights that are pre-trained or not.
    public func training(isPretrained: Bool) -> TrainingRecipe {
        var training = training
        let schedule = isPretrained ? training.schedule : scratch
        training.schedule = steps.map(schedule.scaled) ?? schedule
        return training
    }

    /// The paths of the weights of the networks that teach this one and of the one that finds its regions; they may be gone.
    public var weightsOfModels: [String] {
        (teacher.runs + [region.coarse].compactMap(\.self)).map { "\($0)/\(SegmentationModel.weightsName)" }
    }

    /// How training patches are cut.
    public func cutter(for plan: Plan) -> PatchCutter {
        let axes = Set(mirroredAxes)
        let masksOutside = plan.channels.contains { $0.normalization == .zScore(insideOnly: true) }
        switch augmentation {
        case .none: return .plain(patch: plan.patch, oversampling: oversampling)
        case .full:
            return .segmentation(
                patch: plan.patch, oversampling: oversampling, masksOutside: masksOutside, mirroredAxes: axes)
        case .surveyIntensity, .surveyGeometry, .surveyBoth:
            return .survey(
                patch: plan.patch, oversampling: oversampling, intensity: augmentation != .surveyGeometry,
                geometry: augmentation != .surveyIntensity, mirroredAxes: axes)
        case .light:
            var cutter = PatchCutter.segmentation(
                patch: plan.patch, oversampling: oversampling, masksOutside: masksOutside, mirroredAxes: axes)
            cutter.transforms.transforms.removeAll {
                $0 is GaussianBlur || $0 is Contrast || $0 is LowResolution || ($0 as? Gamma) == .inverted
            }
            return cutter
        }
    }

    /// How whole volumes are predicted with a finished network.
    public func window(for plan: Plan) -> SlidingWindow {
        let predictsMirrored = mirrorsInPrediction && (augmentation != .none || views == .survey)
        var window = SlidingWindow(patch: plan.patch)
        window.step = windowStep
        window.views = predictsMirrored && views != .mirrorings ? views : nil
        window.mirroredAxes = predictsMirrored ? mirroredAxes.sorted().filter { plan.patch[$0] > 1 } : []
        window.viewsPerBatch = max(1, (1 << 18) / plan.patch.volume)
        return window
    }
}
