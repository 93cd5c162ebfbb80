import Tensors
import Volumes

/// How far the surfaces of a prediction and of its reference lie apart, in millimetres.
///
/// | reference | prediction | distances | surface Dice |
/// |-----------|------------|-----------|--------------|
/// | empty     | empty      | NaN       | NaN          |
/// | empty     | not empty  | infinite  | 0            |
/// | not empty | empty      | infinite  | 0            |
///
/// The average of the direction that starts from an empty mask is NaN: there is nothing to measure from.
public struct SurfaceDistances: Sendable {
    /// What counts as surface.
    public let definition: SurfaceDefinition
    let fromPrediction: DistanceDistribution
    let fromReference: DistanceDistribution

    /// Measures two masks of one grid.
    ///
    /// Crop them to a box around both first: time and memory follow the extent.
    /// - Parameter spacingMM: the distance between neighbours along depth, height and width.
    /// - Precondition: both masks have the same extent.
    public init(
        prediction: BinaryMask, reference: BinaryMask, spacingMM: [Double], definition: SurfaceDefinition, on cpu: CPU
    ) {
        check(
            prediction.extent == reference.extent,
            "a prediction of \(prediction.extent) voxels does not fit a reference of \(reference.extent)")
        let surfaces = [prediction, reference].map { Surface(of: $0, definition, spacingMM: spacingMM, on: cpu) }
        func measure(from source: Surface, to target: Surface) -> DistanceDistribution {
            let distances =
                target.points.isEmpty
                ? Array(repeating: Double.infinity, count: source.points.count)
                : DistanceTransform(to: target.points, extent: target.extent, spacingMM: spacingMM, on: cpu)
                    .distancesMM(at: source.points, on: cpu)
            return DistanceDistribution(distancesMM: distances, weights: source.weights)
        }
        self.definition = definition
        fromPrediction = measure(from: surfaces[0], to: surfaces[1])
        fromReference = measure(from: surfaces[1], to: surfaces[0])
    }

    /// The Hausdorff distance, the largest of all distances; or, below 100 percent, the larger of both directions'
    /// percentiles.
    ///
    /// A percentile of surface elements is the first distance at which that share of the area is reached; of boundary
    /// voxels it is linear between the two nearest (MONAI).
    public func hausdorffMM(percent: Double = 100) -> Double {
        let directions = [fromPrediction, fromReference].map { percentile($0, percent) }.filter { !$0.isNaN }
        return directions.max() ?? .nan
    }

    /// The percentile of the distances of both directions together (MedPy's `hd95` with 95 percent of boundary voxels).
    public func pooledHausdorffMM(percent: Double) -> Double {
        percentile(DistanceDistribution(fromPrediction, fromReference), percent)
    }

    /// The average distance from the prediction's surface to the reference's.
    public var averageFromPredictionMM: Double { fromPrediction.meanMM }

    /// The average distance from the reference's surface to the prediction's.
    public var averageFromReferenceMM: Double { fromReference.meanMM }

    /// The average symmetric surface distance, over the surfaces of both together: the larger surface weighs more.
    public var averageMM: Double {
        // An empty direction contributes no distance; that it is NaN on its own does not matter.
        let (first, second) = (fromPrediction, fromReference)
        return (first.sumMM + second.sumMM) / (first.size + second.size)
    }

    /// The mean of the two directions' averages (older versions of MedPy); infinite if one mask is empty.
    public var averageOfDirectionsMM: Double {
        let directions = [fromPrediction, fromReference].filter { $0.size > 0 }
        return directions.reduce(0) { $0 + $1.meanMM } / Double(directions.count)
    }

    /// The normalized surface Dice: the share of both surfaces that lies within `toleranceMM` of the other one, the
    /// tolerance included.
    public func surfaceDice(toleranceMM: Double) -> Double {
        (fromPrediction.weight(within: toleranceMM) + fromReference.weight(within: toleranceMM))
            / (fromPrediction.size + fromReference.size)
    }

    /// The size of the prediction's surface: square millimetres, or voxels.
    public var predictedSize: Double { fromPrediction.size }

    /// The size of the reference's surface: square millimetres, or voxels.
    public var referenceSize: Double { fromReference.size }

    private func percentile(_ distribution: DistanceDistribution, _ percent: Double) -> Double {
        switch definition {
        case .elements: distribution.reachedMM(percent: percent)
        case .boundaryVoxels: distribution.interpolatedMM(percent: percent)
        }
    }
}
