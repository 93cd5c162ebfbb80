import Segmentation
import Training

/// How cross-entropy weighs the classes.
enum ClassWeighting: Sendable, Hashable {
    /// What the effective number counts.
    enum Examples: String, Sendable, Hashable, CaseIterable {
        /// Voxels of all training cases.
        case voxels
        /// Training cases in which the class occurs.
        case cases
    }

    /// All alike.
    case none
    /// By these weights, background first; the last one serves all further classes.
    case given([Double])
    /// By the effective number of examples (Cui et al. 2019).
    case effectiveNumber(beta: Double, of: Examples)

    /// Reads `weighting` and the keys that belong to it.
    init(reading section: RecipeSection) throws {
        switch try section.choice("weighting", among: ["none", "given", "effective_number"], default: "none") {
        case "given":
            let weights = try section.doubles("class_weights", in: 0...1e6)
            guard weights.contains(where: { $0 > 0 }) else {
                throw section.error(at: "class_weights", "expected at least one positive weight")
            }
            self = .given(weights)
        case "effective_number":
            self = .effectiveNumber(
                beta: try section.double("beta", default: 0.999, in: 0...0.99999999),
                of: try section.choice("examples", default: .voxels))
        default: self = .none
        }
    }

    /// One weight per class; nil for equal ones.
    func weights(for setting: LossSetting) throws -> [Float]? {
        switch self {
        case .none: return nil
        case .given(let weights): return weights.classWeights(classes: setting.classes)
        case .effectiveNumber(let beta, let examples):
            let voxels = try setting.voxelCounts()
            let counts = (0..<setting.classes).map { label in
                voxels.reduce(0) { $0 + (examples == .voxels ? $1[label] : min(1, $1[label])) }
            }
            return CrossEntropyLoss.effectiveNumberWeights(counts: counts, beta: beta)
        }
    }
}
