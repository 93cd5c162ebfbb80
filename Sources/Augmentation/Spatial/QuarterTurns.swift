import Tensors
import Volumes

/// Turns in plane (height and width) by 0, 90, 180 or 270 degrees, each equally likely; oblong patches by 0 or 180.
public struct QuarterTurns: PatchTransform, Hashable, Codable {
    /// Turns.
    public init() {}

    /// The stream `augment-quarter-turns`.
    public var purpose: Draws.Purpose { "augment-quarter-turns" }
    /// Voxels change places.
    public var movesVoxels: Bool { true }

    /// Turns image and labels.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        let turns = draws.integer(in: 0..<4)
        guard patch.extent.height == patch.extent.width else {
            if turns > 1 { for axis in 1...2 { patch.mirror(along: axis) } }
            return
        }
        for _ in 0..<turns {
            patch.transposePlane()
            patch.mirror(along: 1)
        }
    }
}

extension Patch {
    /// Exchanges height and width of a patch that is square in plane.
    fileprivate mutating func transposePlane() {
        Self.transposePlane(&image, edge: extent.width)
        if var labels = labels.take() {
            Self.transposePlane(&labels, edge: extent.width)
            self.labels = labels
        }
    }

    private static func transposePlane<Element>(_ values: inout [Element], edge: Int) {
        values.withUnsafeMutableBufferPointer { values in
            for first in stride(from: 0, to: values.count, by: edge * edge) {
                for row in 0..<edge {
                    for column in 0..<row { values.swapAt(first + row * edge + column, first + column * edge + row) }
                }
            }
        }
    }
}
