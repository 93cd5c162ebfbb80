import Segmentation
import Volumes

extension FinetuneRun {
    /// Whether scores come from regions around reference labels, for want of a run that finds them.
    public var looksAroundLabels: Bool { recipe.region.interest != nil && recipe.region.coarse == nil }

    /// Makes sure that the run that finds regions can be read, sees the same channels in whole images, and was trained on no
    /// case that is validated or tested on.
    /// - Throws: ``FinetuneError``, ``SegmentationError``.
    public func checkRegion() throws {
        guard recipe.region.interest == nil || recipe.teacher == .none else { throw FinetuneError.teacherOfRegions }
        guard let coarse = recipe.region.coarse else { return }
        let model = try Ensemble(ofRuns: [coarse], on: cpu)
        guard model.models[0].card.region == nil else {
            throw SegmentationError.notAModel(path: coarse, reason: "it looks at regions itself")
        }
        guard model.channelNames == dataset.channelNames else {
            throw FinetuneError.otherChannelsOfRegions(
                run: coarse, theirs: model.channelNames, dataset: dataset.channelNames)
        }
        let setup = try FinetuneSetup(ofRun: coarse)
        let known = (setup?.trainingCases ?? []) + (setup?.unlabeled ?? [])
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
