/// What made a result.
public enum Software {
    /// The version of Warmstart.
    public static let version = "0.1.0"
}
