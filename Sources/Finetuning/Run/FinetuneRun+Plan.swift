import Volumes
import WeightFiles

extension FinetuneRun {
    /// The recipe's plan, with spacing and normalization of the pre-trained weights if the recipe wants them.
    /// - Throws: ``PlanError``, ``FinetuneError``, and errors of the weights' file.
    func plan() throws -> Plan {
        let plan = try recipe.plan.plan(for: dataset, on: cpu)
        guard recipe.plan.preprocessing == .likePretrained, isPretrained, let path = weightsFile else { return plan }
        guard let card = try WeightsFile.read(path).card else {
            throw FinetuneError.unknownPreprocessing(weights: path, reason: "has no transfer card")
        }
        return try plan.preprocessed(like: card, of: path)
    }
}

extension Plan {
    /// The plan at a card's spacing and with its normalization; one scheme serves all channels.
    fileprivate func preprocessed(like card: TransferCard, of path: String) throws -> Plan {
        var plan = self
        guard card.spacingMM.count == 3, card.spacingMM.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw FinetuneError.unknownPreprocessing(weights: path, reason: "has no usable spacing")
        }
        // 0 on a card stands for the images' own distance of slices.
        plan.spacingMM = card.spacingMM.map { $0 > 0 ? $0 : nil }
        for channel in plan.channels.indices {
            let name =
                card.normalization.count == 1 ? card.normalization[0] : card.normalization.dropFirst(channel).first
            switch name {
            case "z_score": plan.channels[channel].normalization = .zScore(insideOnly: false)
            case "zero_to_one": plan.channels[channel].normalization = .zeroToOne
            case "rgb": plan.channels[channel].normalization = .rgb
            case "none": plan.channels[channel].normalization = .none
            default:
                throw FinetuneError.unknownPreprocessing(
                    weights: path, reason: "was normalized by '\(name ?? "nothing")', whose statistics it does not hold"
                )
            }
        }
        return plan
    }
}
