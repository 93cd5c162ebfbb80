import Tensors
import Training
import Volumes

/// A plan that follows from the dataset, as nnU-Net makes it: the S3D study's baseline "No (Dyn.)".
public struct DynamicPlanRecipe: Sendable, Hashable {
    /// Which of the planner's plans.
    public enum Configuration: String, Sendable, Hashable, CaseIterable {
        /// Volumes at full resolution.
        case fullResolution = "3d_fullres"
        /// Volumes at low resolution; small images have no such plan.
        case lowResolution = "3d_lowres"
        /// Slices.
        case planar = "2d"
    }

    /// The kind of network and the memory to plan for.
    public var planner: PlannerPreset
    /// Which of the plans.
    public var configuration: Configuration

    init(reading section: RecipeSection) throws {
        let presets = PlannerPreset.all
        let name = try section.choice("planner", among: presets.map(\.name), default: PlannerPreset.plain.name)
        planner = presets.first { $0.name == name } ?? .plain
        configuration = try section.choice("configuration", default: .fullResolution)
    }

    /// Takes the fingerprint of all training cases and plans.
    /// - Throws: errors of the files, and ``FinetuneError/noLowResolution(dataset:)``.
    func plan(for dataset: NNUNetDataset, on cpu: CPU) throws -> Plan {
        let plans = DynamicPlanner(preset: planner).plans(
            for: try Fingerprint(of: dataset, on: cpu), channelNames: dataset.channelNames,
            outputChannels: dataset.outputChannels)
        switch configuration {
        case .fullResolution: return plans.fullResolution
        case .planar: return plans.planar
        case .lowResolution:
            guard let plan = plans.lowResolution else { throw FinetuneError.noLowResolution(dataset: dataset.name) }
            return plan
        }
    }
}
