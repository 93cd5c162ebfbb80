/// Structures that may overlap, one for each channel of the logits: for example the whole tumor (labels 1, 2, 3), its
/// core (2, 3) and the enhancing part (3).
public struct Regions: Sendable, Hashable, Codable {
    /// The labels of each channel.
    public let labels: [[Int32]]

    /// Regions of these labels, one list for each channel.
    public init(_ labels: [[Int32]]) {
        check(!labels.isEmpty && labels.joined().allSatisfy { $0 >= 0 }, "regions of labels from 0 on, got \(labels)")
        self.labels = labels
    }

    /// The number of regions: the channels of the logits.
    public var count: Int { labels.count }
}

/// For every label and channel, `[label][channel]`: 1 where the label belongs to the channel, else 0.
struct MembershipTable {
    let values: [Float]

    /// The table of `regions`, or of one class per channel.
    ///
    /// Stops the process unless the labels fit the logits.
    init(_ regions: Regions?, labels: LabelMap, logits: Tensor, ignoring: Int32?) {
        let channels = logits.shape.channels
        guard let regions else {
            labels.checkFit(logits, ignoring: ignoring)
            values = (0..<channels * channels).map { $0 / channels == $0 % channels ? 1 : 0 }
            return
        }
        check(regions.count == channels, "\(regions.count) regions for logits of \(channels) channels")
        let rows = Int(regions.labels.joined().max() ?? 0) + 1
        labels.checkFit(logits, labels: rows, ignoring: ignoring)
        var values = [Float](repeating: 0, count: rows * channels)
        for (channel, members) in regions.labels.enumerated() {
            for label in members { values[Int(label) * channels + channel] = 1 }
        }
        self.values = values
    }
}
