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

    /// Where a finished model looks when it is scored on labeled cases: at the regions that the recipe's coarse run finds, or
    /// else at those around the labels.
    /// - Throws: what opening the coarse run throws.
    public func pointing() throws -> (Ensemble, Volume, _ labels: LabelVolume) throws -> Ensemble {
        guard let path = recipe.region.coarse else {
            return { fine, _, labels in fine.looking(around: labels, ignoring: dataset.ignoreLabel) }
        }
        let coarse = try Ensemble(ofRuns: [path], on: cpu)
        return { fine, image, _ in try TwoStageSegmenter(coarse: coarse, fine: fine).pointed(at: image) }
    }
}
