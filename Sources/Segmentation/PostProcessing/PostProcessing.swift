import Evaluation
import Tensors
import Volumes

/// What is corrected in a label map after it was predicted. Removed voxels become background.
public struct PostProcessing: Sendable, Hashable, Codable {
    /// One correction.
    public enum Step: Sendable, Hashable, Codable {
        /// Keeps the largest component of the voxels with any of these labels; equally large ones all stay.
        case keepLargest(labels: [Int16])
        /// Removes the components of a label that have fewer voxels, the largest one too.
        case removeSmall(label: Int16, voxels: Int)
        /// Gives another label to a structure of fewer voxels in all: a small enhancing tumor is taken for tumor core.
        case relabelSmall(label: Int16, to: Int16, voxels: Int)
    }

    /// The corrections, in order.
    public var steps: [Step]
    /// Which voxels are connected. nnU-Net connects corners, the MedISeg survey faces.
    public var connectivity: Connectivity

    /// Corrections in this order.
    public init(_ steps: [Step], connectivity: Connectivity = .corners) {
        (self.steps, self.connectivity) = (steps, connectivity)
    }

    /// The corrected label map.
    public func applied(to volume: LabelVolume, on cpu: CPU) -> LabelVolume {
        var corrected = volume
        corrected.labels = applied(to: volume.labels, extent: volume.extent, on: cpu)
        return corrected
    }

    /// The corrected labels, `[D, H, W]`.
    public func applied(to labels: [Int16], extent: Extent3, on cpu: CPU) -> [Int16] {
        steps.reduce(labels) { apply($1, to: $0, extent, on: cpu) }
    }

    private func apply(_ step: Step, to labels: [Int16], _ extent: Extent3, on cpu: CPU) -> [Int16] {
        switch step {
        case .keepLargest(let chosen):
            return filtered(labels, { chosen.contains($0) }, extent, on: cpu) { size, largest in size == largest }
        case .removeSmall(let label, let voxels):
            return filtered(labels, { $0 == label }, extent, on: cpu) { size, _ in size >= voxels }
        case .relabelSmall(let label, let other, let voxels):
            guard labels.count(where: { $0 == label }) < voxels else { return labels }
            return labels.map { $0 == label ? other : $0 }
        }
    }

    /// Removes the components of the chosen voxels that are not to be kept.
    private func filtered(
        _ labels: [Int16], _ isChosen: (Int16) -> Bool, _ extent: Extent3, on cpu: CPU,
        keeping keep: (_ size: Int, _ largest: Int) -> Bool
    ) -> [Int16] {
        let components = ConnectedComponents(
            of: BinaryMask(extent: extent, voxels: labels.map { isChosen($0) ? 1 : 0 }), connectivity: connectivity,
            on: cpu)
        guard let largest = components.sizes.first else { return labels }
        let kept = components.mask { _, size in keep(size, largest) }
        return labels.indices.map { isChosen(labels[$0]) && kept.voxels[$0] == 0 ? 0 : labels[$0] }
    }
}
