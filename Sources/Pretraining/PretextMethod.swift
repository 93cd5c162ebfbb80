import Tensors
import Training

/// A way to pre-train a network without labels, as a recipe describes it.
///
/// A new method is one file with a type that conforms, one line in ``PretextMethods``, one recipe and one test file.
public protocol PretextMethod: Sendable {
    /// What the method trains: network, batches, loss.
    associatedtype Task: TrainingTask

    /// What recipes call the method.
    static var name: String { get }

    /// Reads the method's own sections of a recipe.
    /// - Parameter setup: what the recipe says about network, patches and data; sections that it read are not read again.
    /// - Throws: `RecipeError` for a wrong value, or one that does not go with the network or the patch.
    init(reading section: RecipeSection, for setup: PretrainingSetup) throws

    /// The task: a network at its start, and batches of `data`.
    func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws -> Task
}

/// The methods that recipes may name.
public enum PretextMethods {
    /// Every method, one line each.
    public static let all: [any PretextMethod.Type] = [
        Spark3D.self,
        DenseMAE.self,
    ]

    /// The names of all methods.
    public static var names: [String] { all.map { $0.name } }

    /// Reads `method` and the sections that belong to it.
    static func read(_ section: RecipeSection, named name: String, for setup: PretrainingSetup) throws
        -> any PretextMethod
    {
        guard let method = all.first(where: { $0.name == name }) else { fatalError("no method is called \(name)") }
        return try method.init(reading: section, for: setup)
    }
}
