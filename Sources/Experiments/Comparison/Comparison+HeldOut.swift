import Foundation
import Pretraining

extension Comparison {
    /// Makes sure that no test case was seen in pre-training, as far as the weights' runs tell.
    /// - Throws: ``ComparisonError/seenBefore(weights:case:)``.
    public func checkHeldOut() throws {
        let tested = Set(folds.flatMap(\.test)).sorted()
        for initialization in initializations {
            guard let weights = initialization.weights,
                let images = PretrainingImages(ofRun: URL(filePath: weights).deletingLastPathComponent().path)
            else { continue }
            if let seen = tested.first(where: images.contains(caseNamed:)) {
                throw ComparisonError.seenBefore(weights: weights, case: seen)
            }
        }
    }
}
