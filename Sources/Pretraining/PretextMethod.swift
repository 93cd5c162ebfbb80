import Networks
import Tensors
import Training

/// A way to pre-train a network, as a recipe describes it.
///
/// A new method is one file with a type that conforms, one line in ``PretextMethods``, one recipe and one test file.
public protocol PretextMethod: Sendable {
    /// What the method trains: network, batches, loss.
    associatedtype Task: TrainingTask

    /// What recipes call the method.
    static var name: String { get }

    /// What a recipe that does not say otherwise shows the network.
    static var defaults: PretextDefaults { get }

    /// Whether the method learns from labeled datasets, each of which is a domain of its own.
    static var needsLabels: Bool { get }

    /// Reads the method's own sections of a recipe.
    /// - Parameter setup: what the recipe says about network, patches and data; sections that it read are not read again.
    /// - Throws: `RecipeError` for a wrong value, or one that does not go with the network or the patch.
    init(reading section: RecipeSection, for setup: PretrainingSetup) throws

    /// The task: a network at its start, and batches of `data`.
    func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws -> Task
}

extension PretextMethod {
    /// Those of the S3D study.
    public static var defaults: PretextDefaults { PretextDefaults() }
    /// No: images are enough.
    public static var needsLabels: Bool { false }
}

/// What differs between methods although every recipe has it.
public struct PretextDefaults: Hashable, Sendable {
    /// What the encoder sees at once.
    public var patch: Extent3
    /// Images, or patches, per step.
    public var batch: Int
    /// How patches are turned, scaled and mirrored.
    public var augmentation: PatchAugmentation
    /// The largest norm of all gradients together; nil: any.
    public var clipNorm: Double?

    /// Defaults; what is not given is as in Wald et al. 2024, arXiv:2410.23132, and its public code.
    public init(
        patch: Extent3 = 160, batch: Int = 6, augmentation: PatchAugmentation = .turned, clipNorm: Double? = 12
    ) {
        (self.patch, self.batch, self.augmentation, self.clipNorm) = (patch, batch, augmentation, clipNorm)
    }
}

/// The methods that recipes may name.
public enum PretextMethods {
    /// Every method, one line each.
    public static let all: [any PretextMethod.Type] = [
        Spark3D.self,
        DenseMAE.self,
        ModelsGenesis.self,
        VolumeFusion.self,
        SimCLR.self,
        MoCo.self,
        VoCo.self,
        SwinPretext.self,
        GVSL.self,
        PCRL.self,
        Med3D.self,
    ]

    /// The names of all methods.
    public static var names: [String] { all.map { $0.name } }

    /// The method that is called `name`, one of ``names``.
    static func method(named name: String) -> any PretextMethod.Type {
        guard let method = all.first(where: { $0.name == name }) else { fatalError("no method is called \(name)") }
        return method
    }
}
