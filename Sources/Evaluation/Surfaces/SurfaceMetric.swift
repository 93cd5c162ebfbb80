import Foundation

/// A number that tells how far two surfaces lie apart, and by which definition of a surface.
public struct SurfaceMetric: Sendable, Hashable {
    /// What is measured.
    public enum Quantity: Sendable, Hashable {
        /// The largest distance (HD).
        case hausdorff
        /// The larger of both directions' 95th percentiles (HD95; MONAI, DeepMind).
        case hausdorff95
        /// The 95th percentile of both directions together (MedPy's hd95).
        case hausdorff95Pooled
        /// The average symmetric surface distance (ASSD).
        case average
        /// The mean of both directions' averages (older versions of MedPy).
        case averageOfDirections
        /// The average distance from the prediction's surface to the reference's.
        case averageFromPrediction
        /// The average distance from the reference's surface to the prediction's.
        case averageFromReference
        /// The normalized surface Dice (NSD): the share of both surfaces within a tolerance.
        case surfaceDice(toleranceMM: Double)
        /// The size of the prediction's surface.
        case predictedSize
        /// The size of the reference's surface.
        case referenceSize
    }

    /// What is measured.
    public var quantity: Quantity
    /// What counts as surface.
    public var definition: SurfaceDefinition

    /// A quantity of surfaces by one definition.
    public init(_ quantity: Quantity, of definition: SurfaceDefinition) {
        (self.quantity, self.definition) = (quantity, definition)
    }

    /// The usual abbreviation, for example `HD95` or `NSD 2 mm`.
    public var shortName: String {
        switch quantity {
        case .hausdorff: "HD"
        case .hausdorff95: "HD95"
        case .hausdorff95Pooled: "HD95 pooled"
        case .average: "ASSD"
        case .averageOfDirections: "ASSD of directions"
        case .averageFromPrediction: "ASD from prediction"
        case .averageFromReference: "ASD from reference"
        case .surfaceDice(let toleranceMM): "NSD \(String(format: "%g", toleranceMM)) mm"
        case .predictedSize: "surface of prediction"
        case .referenceSize: "surface of reference"
        }
    }

    /// The key in `summary.json`, for example `NSD_2mm_surface_elements`: the definition is part of every name.
    public var summaryKey: String {
        "\(shortName.replacing(" mm", with: "mm").replacing(" ", with: "_"))_\(definition.rawValue)"
    }

    /// Whether smaller is better and a missing structure is infinitely far away.
    public var isDistance: Bool {
        switch quantity {
        case .surfaceDice, .predictedSize, .referenceSize: false
        default: true
        }
    }
}

extension SurfaceDistances {
    /// The value of `metric`, whose definition must be this one's.
    public subscript(quantity: SurfaceMetric.Quantity) -> Double {
        switch quantity {
        case .hausdorff: hausdorffMM()
        case .hausdorff95: hausdorffMM(percent: 95)
        case .hausdorff95Pooled: pooledHausdorffMM(percent: 95)
        case .average: averageMM
        case .averageOfDirections: averageOfDirectionsMM
        case .averageFromPrediction: averageFromPredictionMM
        case .averageFromReference: averageFromReferenceMM
        case .surfaceDice(let toleranceMM): surfaceDice(toleranceMM: toleranceMM)
        case .predictedSize: predictedSize
        case .referenceSize: referenceSize
        }
    }
}

/// Which surface metrics are computed.
public struct SurfaceSelection: Sendable, Hashable {
    /// What counts as surface; each definition is measured on its own.
    public var definitions: [SurfaceDefinition]
    /// The tolerances of the surface Dice in millimetres, ascending.
    public var tolerancesMM: [Double]

    /// Surface elements, with tolerances of 1 and 2 mm.
    public init(definitions: [SurfaceDefinition] = [.elements], tolerancesMM: [Double] = [1, 2]) {
        (self.definitions, self.tolerancesMM) = (definitions, tolerancesMM)
    }

    /// Nothing.
    public static let none = SurfaceSelection(definitions: [], tolerancesMM: [])

    /// Every metric of the selection, definition by definition.
    public var metrics: [SurfaceMetric] {
        definitions.flatMap { definition in quantities(of: definition).map { SurfaceMetric($0, of: definition) } }
    }

    /// Pooled percentiles and means of directions are in use for boundary voxels only.
    private func quantities(of definition: SurfaceDefinition) -> [SurfaceMetric.Quantity] {
        let pooled: [SurfaceMetric.Quantity] =
            definition == .boundaryVoxels ? [.hausdorff95Pooled, .averageOfDirections] : []
        return [.hausdorff, .hausdorff95, .average, .averageFromPrediction, .averageFromReference] + pooled
            + tolerancesMM.map { .surfaceDice(toleranceMM: $0) } + [.predictedSize, .referenceSize]
    }
}
