/// The kind of network that a planner fits into a memory budget, and the budget.
///
/// A reference is a pair of a network's activation count and the memory that training it took in nnU-Net's hands; the
/// budget in activations is the reference scaled by the target memory. Values of nnU-Net 2.5 and of Isensee et al.,
/// "nnU-Net Revisited", MICCAI 2024.
public struct PlannerPreset: Codable, Hashable, Sendable {
    /// A short name: `default`, `M`, `L` or `XL`.
    public var name: String
    /// The kind of encoder.
    public var architecture: NetworkTopology.Architecture
    /// The memory to plan for, in gigabytes of a GPU.
    public var targetMemoryGB: Double
    /// The memory at which the reference counts were taken.
    public var referenceMemoryGB: Double
    /// The activation count of the volumetric reference network.
    public var referenceActivations: Double
    /// The activation count of the planar reference network.
    public var planarReferenceActivations: Double
    /// The batch of the volumetric reference network.
    public var referenceBatch: Double
    /// The batch of the planar reference network.
    public var planarReferenceBatch: Double
    /// The largest share of the dataset's voxels that one batch may hold.
    public var datasetCover: Double

    /// A preset of these numbers.
    public init(
        name: String, architecture: NetworkTopology.Architecture, targetMemoryGB: Double, referenceActivations: Double,
        planarReferenceActivations: Double, datasetCover: Double, referenceMemoryGB: Double = 8,
        referenceBatch: Double = 2, planarReferenceBatch: Double = 12
    ) {
        (self.name, self.architecture, self.targetMemoryGB) = (name, architecture, targetMemoryGB)
        (self.referenceMemoryGB, self.datasetCover) = (referenceMemoryGB, datasetCover)
        (self.referenceActivations, self.planarReferenceActivations) = (
            referenceActivations, planarReferenceActivations
        )
        (self.referenceBatch, self.planarReferenceBatch) = (referenceBatch, planarReferenceBatch)
    }

    /// nnU-Net's default: the plain U-Net within 8 GB.
    public static let plain = PlannerPreset(
        name: "default", architecture: .plain, targetMemoryGB: 8, referenceActivations: 560e6,
        planarReferenceActivations: 85e6, datasetCover: 0.05)
    /// ResEnc-M: residual encoder within 8 GB.
    public static let resEncM = PlannerPreset(
        name: "M", architecture: .residual, targetMemoryGB: 8, referenceActivations: 680e6,
        planarReferenceActivations: 135e6, datasetCover: 1)
    /// ResEnc-L: residual encoder within 24 GB.
    public static let resEncL = PlannerPreset(
        name: "L", architecture: .residual, targetMemoryGB: 24, referenceActivations: 2.1e9,
        planarReferenceActivations: 380e6, datasetCover: 1, referenceMemoryGB: 24)
    /// ResEnc-XL: residual encoder within 40 GB.
    public static let resEncXL = PlannerPreset(
        name: "XL", architecture: .residual, targetMemoryGB: 40, referenceActivations: 3.6e9,
        planarReferenceActivations: 560e6, datasetCover: 1, referenceMemoryGB: 40)

    /// All presets, smallest first.
    public static let all = [plain, resEncM, resEncL, resEncXL]

    /// The activations that the target memory holds, at the reference batch.
    func budget(axes: Int) -> Double {
        (axes == 3 ? referenceActivations : planarReferenceActivations) * (targetMemoryGB / referenceMemoryGB)
    }

    func batch(axes: Int) -> Double { axes == 3 ? referenceBatch : planarReferenceBatch }
}
