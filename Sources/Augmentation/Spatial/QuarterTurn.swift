import Tensors
import Volumes

/// Turns by 90, 180 or 270 degrees in a plane: no voxel is interpolated.
public struct QuarterTurn: PatchTransform, Hashable, Codable {
    /// Of a sample.
    public var probability: Double
    /// The first axis of the plane; the second is the next one.
    public var firstAxis: Int

    /// Turns in the plane of depth and height, with probability 0.3, as in VoCo's public re-implementation.
    public init(probability: Double = 0.3, firstAxis: Int = 0) {
        (self.probability, self.firstAxis) = (probability, firstAxis)
    }

    /// The stream `augment-quarter-turn`.
    public var purpose: Draws.Purpose { "augment-quarter-turn" }

    /// Turns the image and the labels.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        guard draws.chance(probability) else { return }
        patch.turn(quarters: draws.integer(in: 1...3), firstAxis: firstAxis)
    }
}

extension Patch {
    /// Turns the patch by `quarters` times 90 degrees in the plane of two neighbouring axes, from the first towards the
    /// second: NumPy's `rot90`. The patch must be as long along one as along the other.
    public mutating func turn(quarters: Int, firstAxis: Int) {
        let edge = extent[firstAxis]
        check(edge == extent[firstAxis + 1], "a quarter turn wants a square plane, not one of \(extent)")
        func turned<Element>(_ values: [Element], volumes: Int) -> [Element] {
            let before = volumes * extent.dimensions[..<firstAxis].reduce(1, *)
            let after = extent.dimensions[(firstAxis + 2)...].reduce(1, *)
            var result = values
            for outer in 0..<before {
                for row in 0..<edge {
                    for column in 0..<edge {
                        // Where the voxel comes from: one quarter takes [i][j] from [j][edge - 1 - i].
                        var place = (row, column)
                        for _ in 0..<((quarters % 4) + 4) % 4 { place = (place.1, edge - 1 - place.0) }
                        let target = ((outer * edge + row) * edge + column) * after
                        let source = ((outer * edge + place.0) * edge + place.1) * after
                        for inner in 0..<after { result[target + inner] = values[source + inner] }
                    }
                }
            }
            return result
        }
        image = turned(image, volumes: channels)
        labels = labels.map { turned($0, volumes: 1) }
    }
}
