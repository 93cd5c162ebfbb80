import Segmentation
import Tensors
import Training

/// The keys of each kind of loss. Defaults are those of the paper or toolbox that the loss type names.
extension RecipeSection {
    func diceCrossEntropy() throws -> LossMaker {
        let (crossEntropy, dice) = (try weight("cross_entropy"), try weight("dice"))
        let batchDice = try optionalBool("batch_dice")
        guard crossEntropy + dice > 0 else {
            throw error(at: "dice", "cross_entropy and dice are both 0: nothing would be learned")
        }
        return { setting in
            var loss = DiceCrossEntropy()
            (loss.crossEntropyWeight, loss.diceWeight, loss.batchDice) = (
                crossEntropy, dice, batchDice ?? setting.batchDice
            )
            (loss.ignoredLabel, loss.regions) = (setting.ignoredLabel, setting.regions)
            return loss
        }
    }

    func weightedCrossEntropy() throws -> LossMaker {
        let weighting = try ClassWeighting(reading: self)
        return { CrossEntropyLoss(classWeights: try weighting.weights(for: $0), ignoredLabel: $0.ignoredLabel) }
    }

    func dice() throws -> LossMaker {
        var loss = DiceLoss()
        loss.batchDice = try bool("batch_dice", default: loss.batchDice)
        loss.includeBackground = try bool("background", default: loss.includeBackground)
        loss.smooth = try double("smooth", default: loss.smooth, in: 0...1)
        return { [loss] in loss.ignoring($0.ignoredLabel) }
    }

    func focal() throws -> LossMaker {
        let gamma = try double("gamma", default: FocalLoss().gamma, in: 0...100)
        let alpha = try doubles("alpha", default: [1], in: 0...1e6)
        guard !alpha.isEmpty else { throw error(at: "alpha", "expected at least one weight") }
        return { setting in
            var loss = FocalLoss()
            (loss.gamma, loss.ignoredLabel) = (gamma, setting.ignoredLabel)
            loss.classWeights = alpha.classWeights(classes: setting.classes)
            return loss
        }
    }

    func tversky() throws -> LossMaker {
        var loss = TverskyLoss()
        loss.falsePositives = try double("false_positives", default: loss.falsePositives, in: 0...1000)
        loss.falseNegatives = try double("false_negatives", default: loss.falseNegatives, in: 0...1000)
        loss.batch = try bool("batch_dice", default: loss.batch)
        loss.includeBackground = try bool("background", default: loss.includeBackground)
        loss.smooth = try double("smooth", default: loss.smooth, in: 0...1)
        return { [loss] in
            var loss = loss
            loss.ignoredLabel = $0.ignoredLabel
            return loss
        }
    }

    func topK() throws -> LossMaker {
        let percent = try double("percent", default: 10, in: 0.001...100)
        return { HardVoxelLoss(.percent(percent), ignoredLabel: $0.ignoredLabel) }
    }

    func hardMining() throws -> LossMaker {
        let selection: HardVoxelLoss.Selection =
            if try choice("mode", among: ["fraction", "threshold"], default: "fraction") == "fraction" {
                .share(try double("keep", default: 0.7, in: 0.00001...1))
            } else {
                .uncertain(
                    below: try double("threshold", default: 0.7, in: 0...1),
                    atLeast: try integer("minimum", default: 1000, in: 1...1_000_000_000))
            }
        return { HardVoxelLoss(selection, ignoredLabel: $0.ignoredLabel) }
    }

    func boundary() throws -> LossMaker {
        let region = try diceCrossEntropy()
        // Kervadec et al. 2019 move the weight by 0.01 per epoch: 99 of their 200 epochs.
        let course = try course(from: 0.01, to: 0.99, until: 0.5)
        let isRebalanced = try bool("rebalanced", default: true)
        return { setting in
            CompoundLoss([
                .init(
                    try region(setting),
                    weight: isRebalanced
                        ? WeightCourse(from: 1 - course.first, to: 1 - course.last, until: course.end) : 1),
                .init(
                    BoundaryLoss(spacing: setting.spacingMM, ignoredLabel: setting.ignoredLabel), weight: course),
            ])
        }
    }

    func hausdorffDistance() throws -> LossMaker {
        let alpha = try double("alpha", default: 2, in: 0...10)
        let isTwoSided = try bool("two_sided", default: true)
        return { setting in
            var loss = HausdorffDistanceLoss(spacing: setting.spacingMM, ignoredLabel: setting.ignoredLabel)
            (loss.alpha, loss.isTwoSided) = (alpha, isTwoSided)
            return loss
        }
    }

    func hausdorffErosion() throws -> LossMaker {
        let (alpha, erosions) = (
            try double("alpha", default: 2, in: 0...10), try integer("erosions", default: 10, in: 1...100)
        )
        return { setting in
            var loss = HausdorffErosionLoss(ignoredLabel: setting.ignoredLabel)
            (loss.alpha, loss.erosions) = (alpha, erosions)
            return loss
        }
    }

    func regionFocal() throws -> LossMaker {
        var loss = RegionFocalLoss()
        loss.beta = try double("beta", default: loss.beta, in: 1...1e9)
        loss.gamma = try double("gamma", default: loss.gamma, in: 1.000001...1e9)
        loss.includeBackground = try bool("background", default: loss.includeBackground)
        return { [loss] in
            var loss = loss
            loss.ignoredLabel = $0.ignoredLabel
            return loss
        }
    }

    /// Dice plus another loss.
    func dicePlus(_ other: @escaping LossMaker, weight: WeightCourse) throws -> LossMaker {
        let (diceWeight, batchDice) = (try self.weight("dice"), try optionalBool("batch_dice"))
        guard diceWeight > 0 || weight.last > 0 else {
            throw error(at: "dice", "both weights are 0: nothing would be learned")
        }
        return { setting in
            var dice = DiceLoss()
            dice.batchDice = batchDice ?? setting.batchDice
            return CompoundLoss([
                .init(dice.ignoring(setting.ignoredLabel), weight: WeightCourse(diceWeight)),
                .init(try other(setting), weight: weight),
            ])
        }
    }

    /// A weight that stays, 1 by default.
    func fixedWeight(_ key: String) throws -> WeightCourse { WeightCourse(try weight(key)) }

    /// A weight that rises from `first` to `last` while the share `until` of the training passes.
    func course(from first: Double = 0, to last: Double = 1, until end: Double = 0.1) throws -> WeightCourse {
        WeightCourse(
            from: try double("first", default: first, in: 0...1e6), to: try double("last", default: last, in: 0...1e6),
            until: try double("until", default: end, in: 0...1))
    }

    private func weight(_ key: String) throws -> Double { try double(key, default: 1, in: 0...1e6) }
}

extension DiceLoss {
    fileprivate func ignoring(_ label: Int32?) -> DiceLoss {
        var loss = self
        loss.ignoredLabel = label
        return loss
    }
}

extension [Double] {
    /// One weight per class: the last one serves all further classes. Nil if all are 1.
    func classWeights(classes: Int) -> [Float]? {
        allSatisfy { $0 == 1 } ? nil : (0..<classes).map { Float(self[Swift.min($0, count - 1)]) }
    }
}
