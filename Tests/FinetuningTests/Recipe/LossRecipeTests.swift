import Finetuning
import Segmentation
import Tensors
import Testing
import Training

struct LossRecipeTests {
    private let cpu = CPU(threads: 1)

    private func parsed(_ text: String, overrides: [String] = []) throws -> (FinetuneRecipe, ResolvedRecipe) {
        try RecipeDocument.parse(text, overrides: overrides).resolve(FinetuneRecipe.init(reading:))
    }

    private func setting(classes: Int = 3, regions: Regions? = nil) -> LossSetting {
        LossSetting(classes: classes, regions: regions) { [[90, 9, 1], [100, 0, 0]] }
    }

    private static let labels = LabelMap(
        samples: 1, extent: 6, labels: (0..<216).map { $0 < 40 ? 1 : $0 > 190 ? 2 : 0 })

    private func value(_ loss: any SegmentationLoss, progress: Double = 0.3) -> Double {
        var draws = Draws(seed: 3, purpose: "test")
        let shape = Shape(samples: 1, extent: Self.labels.extent, channels: 3)
        // Too much of class 1, in one thick piece.
        let scalars = (0..<shape.count).map { Float((($0 % 3 == 1) ? 4 : 0) + draws.normal()) }
        let logits = Tensor(scalars, shape: shape, on: cpu)
        return Double(loss(logits, labels: Self.labels, progress: progress).item)
    }

    @Test("every kind of loss has defaults that resolve, and reads back as it was", arguments: LossRecipe.Kind.allCases)
    func kinds(kind: LossRecipe.Kind) throws {
        let (recipe, resolved) = try parsed("loss: {kind: \(kind.rawValue)}")
        #expect(recipe.loss.kind == kind && recipe.loss.deepSupervision)
        #expect(try parsed(resolved.yaml).1.yaml == resolved.yaml)
        #expect(value(try recipe.loss.loss(for: setting())).isFinite)
        // A kind replaces the one before with all its keys.
        let replaced = try parsed(
            "loss: {kind: tversky, false_positives: 0.2}",
            overrides: ["loss.kind=\(kind.rawValue)"] + (kind == .tversky ? ["loss.false_positives=0.7"] : []))
        #expect(replaced.1.yaml == resolved.yaml)
    }

    /// Each key changes the loss.
    @Test(arguments: [
        "kind: dice_ce, cross_entropy: 2", "kind: dice_ce, dice: 0", "kind: dice, background: true",
        "kind: dice, smooth: 1", "kind: focal, gamma: 1", "kind: focal, alpha: [0.25, 0.75]",
        "kind: dice_focal, focal: 0.1", "kind: dice_focal, dice: 0.1", "kind: dice_focal, gamma: 1",
        "kind: tversky, false_positives: 0.1", "kind: tversky, false_negatives: 0.9",
        "kind: tversky, background: false",
        "kind: tversky, smooth: 1", "kind: top_k, percent: 50", "kind: dice_top_k, top_k: 0.5",
        "kind: dice_top_k, percent: 50", "kind: ohem, keep: 0.2", "kind: ohem, mode: threshold, minimum: 1",
        "kind: dice_perimeter, until: 1", "kind: dice_perimeter, last: 2", "kind: boundary, first: 0.5",
        "kind: boundary, last: 0.1", "kind: boundary, until: 1", "kind: boundary, rebalanced: false",
        "kind: hausdorff_dt, alpha: 1", "kind: hausdorff_dt, two_sided: false", "kind: hausdorff_er, alpha: 1",
        "kind: hausdorff_er, erosions: 1", "kind: region_focal, beta: 50", "kind: region_focal, gamma: 20",
        "kind: region_focal, background: true", "kind: ce, weighting: given, class_weights: [0.2, 0.8]",
        "kind: ce, weighting: effective_number", "kind: ce, weighting: effective_number, beta: 0.9, examples: cases",
    ])
    func keys(text: String) throws {
        let kind = try #require(text.split(separator: ",").first)
        let (plain, changed) = (try parsed("loss: {\(kind)}").0.loss, try parsed("loss: {\(text)}").0.loss)
        #expect(value(try plain.loss(for: setting())) != value(try changed.loss(for: setting())))
    }

    @Test func batchDiceReachesEveryLossThatHasIt() throws {
        let labels = LabelMap(
            samples: 2, extent: Extent3(depth: 1, height: 4, width: 5),
            labels: (0..<40).map { $0 < 6 ? 1 : $0 > 30 ? 2 : 0 })
        let logits = Tensor(
            (0..<120).map { Float($0 * 37 % 11) / 4 }, shape: Shape(samples: 2, extent: labels.extent, channels: 3),
            on: cpu)
        for kind in ["dice_ce", "dice", "dice_focal", "tversky", "dice_top_k", "hausdorff_dt", "boundary"] {
            let values = try [false, true].map { batch in
                let recipe = try parsed("loss: {kind: \(kind), batch_dice: \(batch)}").0
                let loss = try recipe.loss.loss(for: setting())
                return loss(logits, labels: labels, progress: 0).item
            }
            #expect(values[0] != values[1], "\(kind)")
        }
    }

    @Test(
        "mistakes name the key",
        arguments: [
            ("kind: dice_xe", "one of dice_ce, ce, dice"), ("kind: focal, batch_dice: true", "loss.batch_dice"),
            ("kind: focal, gama: 1", "loss.gamma"), ("kind: top_k, percent: 0", "from 0.001 to 100"),
            ("kind: ce, class_weights: [1, 2]", "loss.class_weights"),
            ("kind: ce, weighting: given", "required"),
            ("kind: ce, weighting: given, class_weights: [0]", "positive"), ("kind: focal, alpha: []", "at least one"),
            ("kind: dice_focal, dice: 0, focal: 0", "nothing would be learned"),
            ("kind: ohem, mode: fraction, minimum: 5", "loss.minimum"),
        ])
    func mistakes(text: String, says: String) {
        let error = #expect(throws: RecipeError.self) { _ = try parsed("loss: {\(text)}") }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
    }

    @Test func lossesOfClassesRefuseRegions() throws {
        let regions = Regions([[1, 2], [2], [1]])
        let error = #expect(throws: FinetuneError.self) {
            _ = try parsed("loss: {kind: focal}").0.loss.loss(for: setting(regions: regions))
        }
        #expect(error?.exitCode == 64 && error?.description.contains("dice_ce") == true)
        let loss = try parsed("seed: 0").0.loss.loss(for: setting(regions: regions)) as? DiceCrossEntropy
        #expect(loss?.regions == regions)
    }
}
