import Evaluation
import Networks
import Tensors
import Volumes

/// Cases that training does not see, predicted whole from time to time.
///
/// Scores are taken on the preprocessed grid and without mirroring: a tenth of the time, and good enough to follow a
/// training. The final evaluation is on the files' grids.
public struct ValidationCases: Sendable {
    /// The cases.
    public var cases: [LabeledCase]
    /// How they are cut into windows.
    public var window: SlidingWindow
    /// The regions or foreground classes.
    public var structures: [Structure]
    /// How logits become labels.
    public var decision: LabelDecision
    /// Voxels with this reference label do not count.
    public var ignoreLabel: Int16?

    /// Cases of `dataset`.
    public init(_ cases: [LabeledCase], window: SlidingWindow, dataset: NNUNetDataset) {
        (self.cases, self.window, ignoreLabel) = (cases, window, dataset.ignoreLabel)
        (structures, decision) = (dataset.structures, LabelDecision(dataset.regions))
    }

    /// The scores of a network.
    /// - Throws: what reading a case of a store throws.
    public func scores(of network: UNet, on cpu: CPU) throws -> DatasetScores {
        let scored = try cases.map { item in
            let whole = try item.whole()
            let table = ConfusionTable(
                prediction: try labels(of: whole, by: network, on: cpu),
                reference: (whole.labels ?? []).map { max($0, 0) }, ignoredLabel: ignoreLabel.map(Int.init))
            return CaseScores(
                name: item.name, predictionFile: "", referenceFile: "",
                structures: structures.map { StructureScores(overlap: table.overlap(of: $0), voxelVolumeMM3: 1) })
        }
        return DatasetScores(structures: structures, cases: scored)
    }

    /// The classes that a network finds in a case, `[D, H, W]`.
    func labels(of whole: Patch, by network: UNet, on cpu: CPU) throws -> [Int16] {
        let classes = network.plan.outputChannels
        let logits = try window.logits(
            of: whole.image, extent: whole.extent, by: [{ network($0, outputs: 1, in: .inference)[0] }],
            classes: classes, on: cpu)
        return decision.labels(logits, channels: classes)
    }
}
