import Evaluation

/// A mean over runs, and the standard deviation of the runs around it.
public struct Spread: Sendable, Codable {
    /// The mean; nil where nothing was measured.
    public var mean: Double?
    /// The sample standard deviation; nil for a single run.
    public var standardDeviation: Double?

    init(_ values: [Double]) {
        let scores = Scores(values)
        mean = scores.count > 0 ? scores.mean : nil
        standardDeviation = scores.count > 1 ? scores.standardDeviation : nil
    }
}
