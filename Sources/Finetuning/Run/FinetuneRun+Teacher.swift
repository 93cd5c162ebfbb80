import Foundation
import Networks
import Segmentation
import Tensors
import Volumes
import WeightFiles

/// What a recipe's teacher comes to for one run.
struct Lesson {
    /// The labeled cases, with the teacher's probabilities where these are learned.
    var cases: [LabeledCase]
    /// Cases that fill half of every batch.
    var companions: [LabeledCase] = []
    /// The terms of the loss; nil for none.
    var guidance: (any Guidance)?
    /// Whether patches are looked at twice.
    var looksTwice = false
    /// What to tell the user.
    var remarks: [String] = []
}

extension FinetuneRun {
    /// What the recipe's teacher comes to, which ``checkTeacher(for:unlabeled:)`` has found fit.
    /// - Parameters:
    ///   - cases: the labeled ones to train on.
    ///   - files: the images without labels.
    ///   - network: the one that learns.
    /// - Throws: errors of files.
    func lesson(
        _ cases: [LabeledCase], unlabeled files: [DatasetCase], plan: Plan, network: UNet
    ) throws -> Lesson {
        var lesson = Lesson(cases: cases)
        let areRegions = dataset.regions != nil
        switch recipe.teacher {
        case .none: break
        case .pseudoLabels(_, let confidence, let keep, let weight):
            let labeled = try pseudoLabeled(files, plan: plan, confidence: confidence, keep: keep)
            (lesson.companions, lesson.remarks) = (labeled.cases, [labeled.remark])
            // Without any the training is the plain one.
            if !labeled.cases.isEmpty { lesson.guidance = PseudoLabelGuidance(weight: weight) }
        case .meanTeacher(let weight, let rise, let momentum):
            lesson.companions = try files.map { try LabeledCase(unlabeled: $0, plan: plan, on: cpu) }
            lesson.guidance = MeanTeacher(
                following: network, weight: weight, rise: rise, momentum: momentum, areRegions: areRegions, on: cpu)
            lesson.looksTwice = true
            lesson.remarks = ["mean teacher: \(files.count) images without labels"]
        case .distillation(_, let share, let temperature):
            let teacher = try Ensemble(ofRuns: recipe.teacher.runs, on: cpu)
            func taught(_ item: LabeledCase) throws -> LabeledCase {
                var item = item
                let whole = try item.whole()
                let logits = try teacher.logits(of: whole)
                item.teacherMap = TeacherMap(
                    logits: logits, extent: whole.extent, temperature: temperature, areRegions: areRegions)
                return item
            }
            lesson.cases = try cases.map(taught)
            lesson.companions = try files.map { try taught(LabeledCase(unlabeled: $0, plan: plan, on: cpu)) }
            lesson.guidance = DistillationGuidance(share: share, temperature: temperature, areRegions: areRegions)
            let numbers = teacher.models.map { $0.network.parameterCount }.reduce(0, +)
            lesson.remarks = [
                "distillation: \(numbers) numbers of \(teacher.models.count) teachers into \(network.parameterCount)"
            ]
        }
        return lesson
    }

    /// The teacher's labels of images, of the surest cases only.
    private func pseudoLabeled(
        _ files: [DatasetCase], plan: Plan, confidence: Double, keep: Double
    ) throws -> (cases: [LabeledCase], remark: String) {
        let teacher = try Ensemble(ofRuns: recipe.teacher.runs, on: cpu)
        let decision = LabelDecision(dataset.regions)
        var all: [(item: LabeledCase, patch: Patch, labels: PseudoLabels)] = []
        for file in files {
            let item = try LabeledCase(unlabeled: file, plan: plan, on: cpu)
            let whole = try item.whole()
            let labels = PseudoLabels(
                logits: try teacher.logits(of: whole), voxels: whole.extent.volume, decision: decision,
                confidence: confidence, ignored: unsureLabel)
            all.append((item, whole, labels))
        }
        let chosen = PseudoLabels.selected(all.map(\.labels), keep: keep).map { all[$0] }
        let cases = chosen.map { item, whole, labels in
            var patch = whole
            patch.labels = labels.labels
            return LabeledCase(
                name: item.name, source: patch,
                foreground: ForegroundVoxels(labels: labels.labels.map { $0 == unsureLabel ? 0 : $0 }))
        }
        let sure = chosen.isEmpty ? 0 : chosen.reduce(0) { $0 + $1.labels.sureShare } / Double(chosen.count)
        return (
            cases,
            String(
                format: "pseudo-labels: %d of %d images, %.1f %% of their voxels", cases.count, files.count, 100 * sure)
        )
    }

    /// The label of voxels that a teacher is unsure of: the dataset's ignored one, else one above all.
    var unsureLabel: Int16 { dataset.ignoreLabel ?? (dataset.classes.map(\.label).max() ?? 0) + 1 }

    /// What identifies the weights of teachers and of the run that finds regions; nil without any.
    func teacherDigests() throws -> [String]? {
        let files = recipe.weightsOfModels
        return files.isEmpty ? nil : try files.map(ContentDigest.ofFile)
    }

    /// Makes sure that the recipe's teacher can teach this run, without reading weights or images.
    /// - Throws: ``FinetuneError`` for a teacher that was trained on cases to validate or to test on, whose labels would
    ///   leak through it, and for one that sees other classes or images preprocessed otherwise.
    func checkTeacher(for plan: Plan, unlabeled: [DatasetCase]) throws {
        let needsRuns: Bool
        switch recipe.teacher {
        case .none: return
        case .meanTeacher: needsRuns = false
        case .pseudoLabels:
            guard !unlabeled.isEmpty else { throw FinetuneError.nothingUnlabeled }
            needsRuns = true
        case .distillation: needsRuns = true
        }
        guard unlabeled.isEmpty || plan.batch >= 2 else { throw FinetuneError.noHalfBatch }
        guard !needsRuns || !recipe.teacher.runs.isEmpty else { throw FinetuneError.noTeacher }
        for run in recipe.teacher.runs {
            let card = try SegmentationModelCard(ofRun: run)
            for (difference, isSame) in [
                ("classes", card.classes == dataset.classes && card.regions == dataset.regions),
                ("preprocessing", card.plan.preprocessing == plan.preprocessing),
                ("regions of interest", card.region == nil),
            ] where !isSame {
                throw FinetuneError.otherTeacher(run: run, difference: difference)
            }
            let setup = try FinetuneSetup(ofRun: run)
            let known = (setup?.trainingCases ?? []) + (setup?.unlabeled ?? [])
            if let seen = hiddenCases.first(where: known.contains) {
                throw FinetuneError.informedTeacher(run: run, case: seen)
            }
        }
    }
}

extension LabeledCase {
    /// A case without labels, read, preprocessed and kept in memory.
    init(unlabeled files: DatasetCase, plan: Plan, on cpu: CPU) throws {
        let image = try files.readImage(channelNames: plan.channels.map(\.name))
        let prepared = try plan.preprocessing(image, on: cpu)
        self.init(
            name: files.name,
            source: Patch(
                image: prepared.voxels, channels: prepared.channelNames.count, labels: nil, extent: prepared.extent),
            foreground: nil)
    }
}
