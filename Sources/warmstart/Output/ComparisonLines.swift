import Experiments
import Foundation
import Training

/// What a comparison tells while it runs, a line each on the standard error stream.
enum ComparisonLines {
    /// - Parameter score: what the numbers are, such as `Dice`.
    static func show(_ event: ComparisonRun.Event, score: String = "Dice") {
        let line =
            switch event {
            case .started(let cell, let finished, let all): "[\(finished + 1)/\(all)] \(cell.key)"
            case .found(let cell, let finished, let all): "[\(finished)/\(all)] \(cell.key): finished before"
            case .finished(let cell, let dice, let finished, let all):
                "[\(finished)/\(all)] \(cell.key): \(score) \(String(format: "%.4f", dice))"
            case .tested(let cell, let target, let dice):
                "\(cell.key), tested on \(target.name): \(score) \(String(format: "%.4f", dice))"
            }
        StandardError.write("\(line)\n")
    }
}
