import Training

/// What of S3D is switched on: the ladder of Wald et al. 2024, arXiv:2410.23132, Table 2a, and the public code's departures.
public struct Spark3DParts: Hashable, Sendable {
    /// Whether the encoder visits visible voxels only: its convolutions, norms and poolings. Otherwise hidden voxels are
    /// zeros that are computed like any others.
    public var isSparse = true
    /// Whether hidden voxels of the input are never read. The public code hides the result of the first convolution only,
    /// so that it sees across the borders of blocks.
    public var masksInput = true
    /// Whether each map is normalized over its visible voxels before it is made dense.
    public var normalizes = true
    /// Whether learned tokens stand for hidden voxels; otherwise zeros.
    public var hasTokens = true
    /// Whether a 3x3x3 convolution follows, from the second stage on.
    public var convolves = true

    /// All that the paper proposes.
    public init() {}

    /// Reads `encoder`: `sparse`, `masked_input`; and `densification`: `norm`, `token`, `convolution`.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection) throws {
        let encoder = try section.section("encoder")
        isSparse = try encoder.bool("sparse", default: true)
        masksInput = try encoder.bool("masked_input", default: true)
        guard isSparse || masksInput else {
            throw encoder.error(at: "masked_input", "a dense encoder must not see hidden voxels: set this to true")
        }
        let densification = try section.section("densification")
        normalizes = try densification.bool("norm", default: true)
        hasTokens = try densification.bool("token", default: true)
        convolves = try densification.bool("convolution", default: true)
    }
}
