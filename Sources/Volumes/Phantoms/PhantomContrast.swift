/// How the tissues of a phantom look.
public enum PhantomContrast: String, Codable, Hashable, Sendable, CaseIterable {
    /// Magnetic resonance, fluid dark.
    case t1
    /// Magnetic resonance, fluid bright.
    case t2
    /// Computed tomography, in Hounsfield units.
    case ct

    /// The channel's name in datasets: `T1`, `T2` or `CT`.
    public var channelName: String { rawValue.uppercased() }
}
