import Tensors
import Volumes

/// What kind of errors a prediction makes: whether it finds the parts of a structure, and whether its errors lie at the
/// surface or elsewhere.
public struct ErrorProfile: Sendable, Hashable, Codable {
    /// Parts of the reference that are connected by faces, edges or corners.
    public var referenceParts: Int
    /// Those of them that the prediction touches.
    public var foundParts: Int
    /// Parts of the prediction that touch nothing of the reference.
    public var falseParts: Int
    /// Voxels in which the masks differ.
    public var errorVoxels: Int
    /// Those of them at the reference's surface: missed voxels of its boundary, and false ones with a face at it.
    public var errorVoxelsAtSurface: Int

    /// The errors of a prediction.
    /// - Precondition: both masks have the same extent.
    public init(prediction: BinaryMask, reference: BinaryMask, on cpu: CPU) {
        let parts = ConnectedComponents(of: reference, connectivity: .corners, on: cpu)
        let touched = parts.touched(by: prediction)
        (referenceParts, foundParts) = (parts.count, touched.count(where: \.self))
        falseParts = ConnectedComponents(of: prediction, connectivity: .corners, on: cpu).touched(by: reference)
            .count { !$0 }
        (errorVoxels, errorVoxelsAtSurface) = Self.errors(prediction, reference)
    }

    private static func errors(_ prediction: BinaryMask, _ reference: BinaryMask) -> (all: Int, atSurface: Int) {
        let extent = reference.extent
        let strides = [extent.height * extent.width, extent.width, 1]
        var (all, atSurface) = (0, 0)
        for voxel in reference.voxels.indices where prediction.voxels[voxel] != reference.voxels[voxel] {
            all += 1
            let place = [voxel / strides[0], voxel / extent.width % extent.height, voxel % extent.width]
            let touchesOther = (0..<3).contains { axis in
                [-1, 1].contains { step in
                    let next = place[axis] + step
                    let neighbour =
                        (0..<extent[axis]).contains(next) ? reference.voxels[voxel + step * strides[axis]] : 0
                    return neighbour != reference.voxels[voxel]
                }
            }
            if touchesOther { atSurface += 1 }
        }
        return (all, atSurface)
    }
}

extension CaseMeasurement {
    /// The errors made in each structure, in their order; nil where neither mask has it.
    /// - Precondition: both label maps have one label per voxel of `extent`.
    public func errorProfiles(
        prediction: [Int16], reference: [Int16], extent: Extent3, on cpu: CPU
    ) -> [ErrorProfile?] {
        let pair = LabelPair(
            prediction: prediction, reference: reference, extent: extent, ignoredLabel: ignoredLabel, on: cpu)
        return structures.map { structure in
            pair.masks(of: structure, on: cpu).map {
                ErrorProfile(prediction: $0.prediction, reference: $0.reference, on: cpu)
            }
        }
    }
}
