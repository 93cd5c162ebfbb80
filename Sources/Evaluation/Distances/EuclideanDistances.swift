import Tensors

/// The exact distance in millimetres of every voxel to the nearest of `targets`, `[D, H, W]`; infinite without targets.
///
/// Time is linear in the number of voxels, and the result the same bits for any number of threads.
/// - Parameters:
///   - targets: linear indices `[D, H, W]`.
///   - spacingMM: the distance between neighbours along depth, height and width.
public func euclideanDistancesMM(to targets: [Int], extent: Extent3, spacingMM: [Double], on cpu: CPU) -> [Double] {
    DistanceTransform(to: targets.map { Int32($0) }, extent: extent, spacingMM: spacingMM, on: cpu).map(on: cpu)
}
