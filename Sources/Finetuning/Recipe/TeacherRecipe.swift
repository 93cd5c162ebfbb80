import Segmentation
import Training

/// The section `teacher`: what a network learns from besides people's labels.
public enum TeacherRecipe: Sendable, Hashable {
    /// Labels only.
    case none
    /// The labels that trained networks give to images without any, where they are sure.
    case pseudoLabels(runs: [String], confidence: Double, keep: Double, weight: WeightCourse)
    /// Agreement with a network that follows the one that learns.
    case meanTeacher(weight: Double, rise: Double, momentum: Double)
    /// The probabilities that trained networks give to every voxel.
    case distillation(runs: [String], share: Double, temperature: Double)

    /// Reads the section; each kind has keys of its own.
    /// - Throws: ``RecipeError``.
    init(reading section: RecipeSection) throws {
        switch try section.choice(
            "kind", among: ["none", "pseudo_labels", "mean_teacher", "distillation"], default: "none")
        {
        case "pseudo_labels":
            let runs = try section.strings("runs", default: [])
            // A confidence above 1 keeps nothing: plain training.
            let confidence = try section.double("confidence", default: 0.9, in: 0...2)
            let keep = try section.double("keep", default: 0.5, in: 0...1)
            self = .pseudoLabels(
                runs: runs, confidence: confidence, keep: keep, weight: try section.course(until: 0.4))
        case "mean_teacher":
            self = .meanTeacher(
                weight: try section.double("weight", default: 0.1, in: 0...1e6),
                rise: try section.double("rise", default: 0.4, in: 0...1),
                momentum: try section.double("momentum", default: 0.99, in: 0...1))
        case "distillation":
            self = .distillation(
                runs: try section.strings("runs", default: []),
                share: try section.double("share", default: 0.5, in: 0...1),
                temperature: try section.double("temperature", default: 2, in: 0.1...100))
        default: self = .none
        }
    }

    /// The trained networks.
    public var runs: [String] {
        switch self {
        case .pseudoLabels(let runs, _, _, _), .distillation(let runs, _, _): runs
        case .none, .meanTeacher: []
        }
    }

    /// Whether patches of two cases cannot be mixed: the teacher's opinion belongs to one.
    var needsWholePatches: Bool {
        switch self {
        case .meanTeacher, .distillation: true
        case .none, .pseudoLabels: false
        }
    }
}

/// The key `data.unlabeled`: images whose labels, if there are any, are not read.
public enum UnlabeledImages: Sendable, Hashable {
    /// There are none.
    case none
    /// The dataset's labeled cases that the run neither trains on nor is tested on.
    case restOfDataset
    /// Those of a folder.
    case folder(String)

    /// Reads the key.
    /// - Throws: ``RecipeError``.
    init(reading section: RecipeSection) throws {
        self =
            switch try section.optionalString("unlabeled") {
            case nil: .none
            case "rest-of-dataset": .restOfDataset
            case let path?: .folder(path)
            }
    }
}
