/// Which modalities are used. Names are compared without regard to case and BIDS' `w`: `T1` is `t1w`.
public struct ModalityFilter: Hashable, Sendable {
    /// Only these, if there are any.
    public var only: [String]
    /// Never these.
    public var without: [String]

    /// A filter.
    public init(only: [String], without: [String]) { (self.only, self.without) = (only, without) }

    /// Why an image is left out, in a few words; nil if it is not.
    public func objection(to modality: String?) -> String? {
        guard let modality else { return only.isEmpty ? nil : "its modality is not known" }
        func names(_ list: [String]) -> Bool { list.contains { Self.plain($0) == Self.plain(modality) } }
        return names(without) || (!only.isEmpty && !names(only)) ? "its modality is \(modality)" : nil
    }

    private static func plain(_ name: String) -> String {
        let lowercased = name.lowercased()
        return lowercased.count > 1 && lowercased.hasSuffix("w") ? String(lowercased.dropLast()) : lowercased
    }
}
