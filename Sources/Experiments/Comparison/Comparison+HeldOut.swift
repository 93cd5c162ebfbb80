import Finetuning
import Foundation
import Pretraining

extension Comparison {
    /// Makes sure that no test case was seen in the training of weights, as far as their runs tell.
    /// - Throws: ``ComparisonError/seenBefore(weights:case:)``; ``FinetuneError/damagedSetup(file:reason:)``.
    public func checkHeldOut() throws {
        let tested = Set(folds.flatMap(\.test)).sorted()
        for initialization in initializations {
            guard let weights = initialization.weights else { continue }
            let run = URL(filePath: weights).deletingLastPathComponent().path
            let images = PretrainingImages(ofRun: run)
            // A fine-tuned network may be a start, too.
            let setup = try FinetuneSetup(ofRun: run)
            let labeled = setup?.trainingCases ?? []
            if let seen = tested.first(where: { images?.contains(caseNamed: $0) == true || labeled.contains($0) }) {
                throw ComparisonError.seenBefore(weights: weights, case: seen)
            }
            // Cases of another dataset may share the names of this one's; images to pre-train on are of any dataset.
            for target in transfer {
                let learned = setup?.dataset == target.folder ? labeled : []
                if let seen = target.cases.first(where: {
                    images?.contains(caseNamed: $0) == true || learned.contains($0)
                }) {
                    throw ComparisonError.seenBefore(weights: weights, case: "\(seen) of \(target.name)")
                }
            }
        }
    }
}
