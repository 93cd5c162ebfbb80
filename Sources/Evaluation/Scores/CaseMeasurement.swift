import Tensors
import Volumes

/// Compares two label maps of one grid: counts voxels once for all structures, then measures each structure's surfaces
/// within the box that it occupies.
public struct CaseMeasurement: Sendable {
    /// What is measured.
    public var structures: [Structure]
    /// Voxels with this label in the reference are not counted, and belong to no surface.
    public var ignoredLabel: Int?
    /// What overlap scores are worth when both masks are empty.
    public var bothEmpty = BothEmpty.leftOut
    /// Which surface metrics are computed.
    public var surface = SurfaceSelection.none

    /// The measurement of `structures`.
    public init(_ structures: [Structure], ignoredLabel: Int? = nil) {
        (self.structures, self.ignoredLabel) = (structures, ignoredLabel)
    }

    /// The scores of each structure, in their order.
    /// - Parameters:
    ///   - geometry: of both label maps.
    ///   - table: the voxels of the two label maps, if they are counted already.
    /// - Precondition: both have one label per voxel of `geometry`.
    public func scores(
        prediction: [Int16], reference: [Int16], geometry: Geometry, table: ConfusionTable? = nil, on cpu: CPU
    ) -> [StructureScores] {
        let table =
            table ?? ConfusionTable(prediction: prediction, reference: reference, ignoredLabel: ignoredLabel, on: cpu)
        let pair =
            surface.definitions.isEmpty
            ? nil
            : LabelPair(
                prediction: prediction, reference: reference, extent: geometry.extent, ignoredLabel: ignoredLabel,
                on: cpu)
        return structures.map { structure in
            StructureScores(
                overlap: table.overlap(of: structure), voxelVolumeMM3: geometry.voxelVolumeMM3, bothEmpty: bothEmpty,
                surface: pair.map { surfaceScores(of: structure, in: $0, geometry.spacingMM, on: cpu) } ?? [:])
        }
    }

    private func surfaceScores(
        of structure: Structure, in pair: LabelPair, _ spacingMM: [Double], on cpu: CPU
    ) -> [SurfaceMetric: Double] {
        guard !structure.isBackground, let masks = pair.masks(of: structure, on: cpu) else { return [:] }
        return surface.definitions.reduce(into: [:]) { scores, definition in
            let distances = SurfaceDistances(
                prediction: masks.prediction, reference: masks.reference, spacingMM: spacingMM, definition: definition,
                on: cpu)
            for metric in surface.metrics where metric.definition == definition {
                scores[metric] = distances[metric.quantity]
            }
        }
    }
}
