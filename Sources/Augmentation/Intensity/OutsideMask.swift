import Tensors
import Volumes

/// Sets the image to 0 where the label says that nothing is, as before the other transforms.
///
/// For images that were z-scored inside the body only, so that 0 means outside.
public struct OutsideMask: PatchTransform, Hashable, Codable {
    /// The mask has no settings.
    public init() {}

    /// Draws nothing.
    public var purpose: Draws.Purpose { "augment-mask" }

    /// Changes the image.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        guard let labels = patch.labels else { return }
        for channel in 0..<patch.channels {
            patch.withChannel(channel) { voxels in
                for index in labels.indices where labels[index] < 0 { voxels[index] = 0 }
            }
        }
    }
}

extension Patch {
    /// Turns the label -1 (outside) into 0 (background): losses know no outside.
    public mutating func treatOutsideAsBackground() {
        guard var labels = labels.take() else { return }
        for index in labels.indices where labels[index] < 0 { labels[index] = 0 }
        self.labels = labels
    }
}
