/// A tensor of a file that is no part of the network.
public struct SkippedTensor: Sendable, Hashable, Codable {
    /// Its name, or path, in the file.
    public var name: String
    /// Why, in a few words.
    public var reason: String

    /// A tensor and the reason.
    public init(name: String, reason: String) { (self.name, self.reason) = (name, reason) }
}
