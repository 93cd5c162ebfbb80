import Evaluation
import Tensors
import Volumes

extension PostProcessing {
    /// A case with a prediction by a model that was not trained on it.
    public struct CrossValidated: Sendable {
        /// The prediction, `[D, H, W]`.
        public var prediction: [Int16]
        /// What an expert drew, `[D, H, W]`.
        public var reference: [Int16]
        /// Voxels along each axis.
        public var extent: Extent3

        /// A case.
        public init(prediction: [Int16], reference: [Int16], extent: Extent3) {
            (self.prediction, self.reference, self.extent) = (prediction, reference, extent)
        }
    }

    /// Chooses which components to remove as nnU-Net does, on all predictions of a cross-validation together.
    ///
    /// First the largest component of all foreground: taken if the foreground's mean Dice rises and no class falls. Then,
    /// if there are several classes, the largest component of each in turn, on top of what was taken: taken if that
    /// class's mean Dice rises.
    /// - Parameter classes: the foreground labels.
    public static func chosen(
        on cases: [CrossValidated], classes: [Int16], connectivity: Connectivity = .corners, ignoring: Int16? = nil,
        cpu: CPU
    ) -> PostProcessing {
        let structures = classes.map { Structure(label: Int($0)) }
        func dice(_ processing: PostProcessing) -> (foreground: Double, classes: [Double]) {
            let scored = cases.map { item in
                let table = ConfusionTable(
                    prediction: processing.applied(to: item.prediction, extent: item.extent, on: cpu),
                    reference: item.reference, ignoredLabel: ignoring.map(Int.init))
                return CaseScores(
                    name: "", predictionFile: "", referenceFile: "",
                    structures: structures.map { StructureScores(overlap: table.overlap(of: $0), voxelVolumeMM3: 1) })
            }
            let scores = DatasetScores(structures: structures, cases: scored)
            return (
                scores.foregroundMean(.dice), structures.indices.map { scores.scores(.dice, ofStructure: $0).mean }
            )
        }
        func candidate(_ steps: [Step], _ labels: [Int16]) -> PostProcessing {
            PostProcessing(steps + [.keepLargest(labels: labels)], connectivity: connectivity)
        }
        var best = PostProcessing([], connectivity: connectivity)
        var score = dice(best)
        let whole = candidate([], classes)
        let wholeScore = dice(whole)
        // A class that occurs nowhere has no Dice; comparisons with it are false.
        if wholeScore.foreground > score.foreground, !zip(wholeScore.classes, score.classes).contains(where: <) {
            (best, score) = (whole, wholeScore)
        }
        guard classes.count > 1 else { return best }
        for (index, label) in classes.enumerated() {
            let single = candidate(best.steps, [label])
            let singleScore = dice(single)
            if singleScore.classes[index] > score.classes[index] { (best, score) = (single, singleScore) }
        }
        return best
    }
}
