import Tensors

/// A mistake in a recipe: where it is, which key it concerns and what to write instead.
public struct RecipeError: UserFacingError, Equatable {
    /// File and line, or the override.
    public let place: RecipePlace
    /// The key with the sections around it, such as `masking.ratio`; empty if no key is at fault.
    public let key: String
    /// What is wrong and what is expected.
    public let problem: String

    /// A mistake at `key`.
    public init(at place: RecipePlace, key: String = "", _ problem: String) {
        (self.place, self.key, self.problem) = (place, key, problem)
    }

    /// Wrong usage: 64.
    public var exitCode: Int32 { ExitStatus.usage }

    /// For example `Pretrain/mae.yaml:12: masking.ratio: expected a number from 0 to 1, found 2.`
    public var description: String { key.isEmpty ? "\(place): \(problem)." : "\(place): \(key): \(problem)." }
}
