import Tensors
import Volumes

/// Mirrors along each axis with probability 1/2.
public struct Mirroring: PatchTransform, Hashable, Codable {
    /// The axes that may be mirrored: 0 (depth), 1 (height), 2 (width).
    public var axes: Set<Int>
    /// For each axis.
    public var probability: Double

    /// Mirrors along `axes`.
    public init(axes: Set<Int> = [0, 1, 2], probability: Double = 0.5) {
        (self.axes, self.probability) = (axes, probability)
    }

    /// The stream `augment-mirror`.
    public var purpose: Draws.Purpose { "augment-mirror" }
    /// Voxels change places.
    public var movesVoxels: Bool { true }

    /// Mirrors image and labels.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        let drawn = (0..<3).filter { _ in draws.chance(probability) }
        for axis in drawn where axes.contains(axis) { patch.mirror(along: axis) }
    }
}

extension Patch {
    /// Reverses the order of voxels along axis 0 (depth), 1 (height) or 2 (width).
    public mutating func mirror(along axis: Int) {
        mirrored(&image, volumes: channels, along: axis)
        if var labels = labels.take() {
            mirrored(&labels, volumes: 1, along: axis)
            self.labels = labels
        }
    }

    private func mirrored<Element>(_ values: inout [Element], volumes: Int, along axis: Int) {
        let sizes = extent.dimensions
        let (before, count) = (volumes * sizes[..<axis].reduce(1, *), sizes[axis])
        let after = sizes[(axis + 1)...].reduce(1, *)
        values.withUnsafeMutableBufferPointer { values in
            for outer in 0..<before {
                for index in 0..<count / 2 {
                    let (first, second) = ((outer * count + index) * after, (outer * count + count - 1 - index) * after)
                    for inner in 0..<after { values.swapAt(first + inner, second + inner) }
                }
            }
        }
    }
}
