import ArgumentParser
import Foundation
import Tensors
import Volumes
import WeightFiles

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Decide on a dataset's grid, patches, intensities and network.",
        discussion: """
            A dynamic plan follows from the dataset's fingerprint, as in nnU-Net; a fixed plan is the same for every \
            dataset, as pre-trained weights want it. Plans are JSON files that can be read and edited.

            Examples:
              warmstart plan --data DATASET --out plan.json
              warmstart plan --data DATASET --kind fixed --patch 96 --out plan.json
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case dynamic, fixed
    }

    enum Configuration: String, ExpressibleByArgument, CaseIterable {
        case fullResolution = "3d_fullres"
        case lowResolution = "3d_lowres"
        case planar = "2d"
    }

    @Option(help: "The dataset's folder, in nnU-Net's raw layout.")
    var data: ExistingPath

    @Option(help: "Where the plan is written.")
    var out: String

    @Option(help: "A plan for this dataset, or the one for all.")
    var kind = Kind.dynamic

    @Option(help: "Dynamic plans: the network and memory budget, \(Self.presetNames).")
    var preset = "L"

    @Option(help: "Dynamic plans: volumes at full or low resolution, or slices.")
    var configuration = Configuration.fullResolution

    @Option(help: "Fixed plans: the edge of the cubic patch in voxels, a multiple of 32.")
    var patch = 160

    @Option(help: "Fixed plans: the edge of a voxel in mm.")
    var spacing = 1.0

    @Option(help: "Fixed plans: patches per step.")
    var batch = 2

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var printing: PrintOptions

    private static var presetNames: String { PlannerPreset.all.map(\.name).joined(separator: ", ") }

    func validate() throws {
        guard PlannerPreset.all.contains(where: { $0.name == preset }) else {
            throw ValidationError("--preset \(preset) is unknown; choose one of \(Self.presetNames).")
        }
        guard patch > 0, patch % 32 == 0 else {
            throw ValidationError("--patch must be a multiple of 32 for the network's strides, got \(patch).")
        }
        guard spacing > 0, batch > 0 else { throw ValidationError("--spacing and --batch must be positive.") }
    }

    func run() throws {
        let dataset = try NNUNetDataset(path: data.requiredFolder())
        let plan = try kind == .fixed ? fixed(dataset) : dynamic(dataset)
        try AtomicFile.write(plan.json(), to: out)
        var facts = plan.facts
        facts.add("file", out)
        try facts.print(json: printing.json)
    }

    private func fixed(_ dataset: NNUNetDataset) -> Plan {
        Plan.fixed(
            channelNames: dataset.channelNames, outputChannels: dataset.outputChannels, patch: Extent3(patch),
            batch: batch, spacingMM: [spacing, spacing, spacing])
    }

    private func dynamic(_ dataset: NNUNetDataset) throws -> Plan {
        let progress = CaseProgress("reading", total: dataset.trainingCases.count)
        let fingerprint = try Fingerprint(of: dataset, on: compute.cpu) { progress.advance(note: $0) }
        progress.finish()
        let chosen = PlannerPreset.all.first { $0.name == preset } ?? .resEncL
        let plans = DynamicPlanner(preset: chosen).plans(
            for: fingerprint, channelNames: dataset.channelNames, outputChannels: dataset.outputChannels)
        switch configuration {
        case .fullResolution: return plans.fullResolution
        case .planar: return plans.planar
        case .lowResolution:
            guard let plan = plans.lowResolution else {
                throw ValidationError(
                    "this dataset needs no 3d_lowres: a patch of 3d_fullres sees enough of an image.")
            }
            return plan
        }
    }
}
