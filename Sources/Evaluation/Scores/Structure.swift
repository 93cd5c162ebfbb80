/// What is evaluated: one class, or a region made of several, such as the whole tumor.
public struct Structure: Sendable, Hashable {
    /// The name that tables show.
    public var name: String
    /// The labels that belong to it.
    public var labels: Set<Int>

    /// A region of one or more labels.
    public init(name: String, labels: Set<Int>) { (self.name, self.labels) = (name, labels) }

    /// A class. Without a name it is called by its label.
    public init(label: Int, name: String? = nil) { self.init(name: name ?? "\(label)", labels: [label]) }

    /// Whether it is the background, which enters no foreground mean.
    public var isBackground: Bool { labels == [0] }

    /// The key in nnU-Net's `summary.json`: `1` for a class, `(1, 2, 3)` for a region.
    public var summaryKey: String {
        let sorted = labels.sorted().map(String.init)
        return sorted.count == 1 ? sorted[0] : "(\(sorted.joined(separator: ", ")))"
    }
}
