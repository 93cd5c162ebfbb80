import Segmentation
import Volumes

extension FinetuneRun {
    /// Makes sure that the run that finds regions was trained on no case that is validated or tested on.
    /// - Throws: ``FinetuneError``, ``SegmentationError/notAModel(path:reason:)``.
    func checkRegion() throws {
        guard recipe.region.interest == nil || recipe.teacher == .none else { throw FinetuneError.teacherOfRegions }
        guard let coarse = recipe.region.coarse else { return }
        _ = try SegmentationModelCard(ofRun: coarse)
        let known = FinetuneSetup(ofRun: coarse)?.trainingCases ?? []
        if let seen = hiddenCases.first(where: known.contains) {
            throw FinetuneError.informedTeacher(run: coarse, case: seen)
        }
    }

    /// The cases with what of them is seen: all of it, or the region around their foreground.
    /// - Throws: what reading a case of a store throws.
    func seen(_ cases: [LabeledCase]) throws -> [LabeledCase] {
        guard let interest = recipe.region.interest else { return cases }
        return try cases.map { try $0.inRegion(interest, ignoring: dataset.ignoreLabel) }
    }

    /// How the labeled cases are predicted that the finished model is scored on: in the regions that the recipe's coarse run
    /// finds, or else in those around the labels.
    /// - Throws: what opening the coarse run throws.
    func scoredPrediction(of model: SegmentationModel) throws -> (Volume, _ labels: LabelVolume) throws -> LabelVolume {
        let fine = try Ensemble([model], on: cpu)
        guard let coarse = recipe.region.coarse else {
            return { try fine.looking(around: $1, ignoring: dataset.ignoreLabel).segment($0) }
        }
        let both = try TwoStageSegmenter(coarse: Ensemble(ofRuns: [coarse], on: cpu), fine: fine)
        return { image, _ in try both.segment(image) }
    }
}
