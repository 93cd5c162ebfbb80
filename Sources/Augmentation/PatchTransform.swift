import Tensors
import Volumes

/// A random change of a patch that keeps its size: what a network should not care about.
///
/// Every transform draws from a stream of its own, so that switching one off changes nothing for the others.
public protocol PatchTransform: Sendable {
    /// The stream that the transform draws from.
    var purpose: Draws.Purpose { get }
    /// Whether voxels change places, and labels and other maps of the patch with them; else only intensities change.
    var movesVoxels: Bool { get }
    /// Changes the patch, or leaves it as it is, as drawn.
    func apply(to patch: inout Patch, draws: inout Draws)
}

extension PatchTransform {
    /// Only intensities change.
    public var movesVoxels: Bool { false }
}
