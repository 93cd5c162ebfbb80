import Volumes
import WeightFiles

extension FinetuneRun {
    /// The recipe's plan, with spacing and normalization of the pre-trained weights if the recipe wants them.
    /// - Throws: ``PlanError``, ``FinetuneError``.
    func plan(startingFrom weights: WeightsFile?) throws -> Plan {
        let plan = try recipe.plan.plan(for: dataset, startingFrom: weights, on: cpu)
        guard recipe.plan.preprocessing == .likePretrained, let weights else { return plan }
        guard let card = weights.cardAsUNet else {
            throw FinetuneError.unknownPreprocessing(weights: weights.path, reason: "has no transfer card")
        }
        return try plan.preprocessed(like: card, of: weights.path)
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
            let intensities =
                card.intensities.count == 1 ? card.intensities[0] : card.intensities.dropFirst(channel).first
            guard let normalization = name.flatMap({ Normalization(cardName: $0, intensities: intensities) }) else {
                throw FinetuneError.unknownPreprocessing(
                    weights: path, reason: "was normalized by '\(name ?? "nothing")', whose numbers it does not hold")
            }
            plan.channels[channel].normalization = normalization
        }
        return plan
    }
}
