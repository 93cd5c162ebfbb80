import WeightFiles

/// What became of every tensor of a file of pre-trained weights, and of every parameter of the network that got them.
/// Canonical names.
public struct TransferReport: Sendable, Hashable, Codable, CustomStringConvertible {
    /// A tensor of the file that was not used.
    public struct Skipped: Sendable, Hashable, Codable {
        /// The tensor.
        public var name: String
        /// Why, in a few words.
        public var reason: String
    }

    /// Parameters that have the file's values.
    public var taken: [String] = []
    /// Parameters whose input channels all got a share of the file's single one.
    public var replicated: [String] = []
    /// Tensors that were brought into another shape before: kernels inflated from 2D.
    public var reshaped: [WeightsFile.Reshaped] = []
    /// Parameters that kept their random values.
    public var untouched: [String] = []
    /// Tensors of the file that were not used.
    public var skipped: [Skipped] = []
    /// Weights that the file holds under several names with different values: `all_modules` was read.
    public var disagreeing: [String] = []
    /// What the weights were trained for that the network will not be used for, in words.
    public var remarks: [String] = []

    /// The report with more to say.
    func adding(_ more: [String]) -> TransferReport {
        var report = self
        report.remarks += more
        return report
    }

    /// One line for each kind that occurs.
    public var description: String {
        var lines: [String] = []
        if taken.count + replicated.count + untouched.count > 0 {
            lines.append("\(taken.count + replicated.count) tensors taken, \(untouched.count) left at random")
        }
        for (how, tensors) in Dictionary(grouping: reshaped, by: \.how).sorted(by: { $0.key < $1.key }) {
            lines.append("\(tensors.count) of them \(how)")
        }
        for name in replicated { lines.append("\(name): one channel replicated over all") }
        for (reason, tensors) in Dictionary(grouping: skipped, by: \.reason).sorted(by: { $0.key < $1.key }) {
            lines.append("\(tensors.count) tensors not used: \(reason)")
        }
        if !disagreeing.isEmpty {
            lines.append("\(disagreeing.count) weights differ between their names; all_modules was read")
        }
        return (lines + remarks).joined(separator: "\n")
    }
}
