import Foundation

/// The area of the piece of surface between eight voxels, for each way in which they can be inside or outside.
///
/// Bit `4·d + 2·h + w` of a configuration tells of the voxel at (d, h, w) of the 2x2x2 block. The surface cuts the
/// block's edges in their middle. Where that leaves a choice, it is made as marching cubes' usual table does: of diagonal
/// corners of a face, those of the kind that has fewer corners in the block are kept apart; a polygon is cut into
/// triangles from the corner that gives it the largest area in a block of unit spacing.
struct ElementAreas {
    /// Square millimetres by configuration.
    let squareMM: [Double]

    /// The areas for voxels of this size along depth, height and width.
    init(spacingMM: [Double]) {
        let spacing = SIMD3(spacingMM[0], spacingMM[1], spacingMM[2])
        squareMM = Self.triangles.map { triangles in
            triangles.reduce(0) { $0 + $1.area(spacing: spacing) }
        }
    }

    private struct Triangle {
        var a, b, c: SIMD3<Double>

        func area(spacing: SIMD3<Double>) -> Double {
            let (u, v) = ((b - a) * spacing, (c - a) * spacing)
            let normal = SIMD3(u.y * v.z - u.z * v.y, u.z * v.x - u.x * v.z, u.x * v.y - u.y * v.x)
            return (normal * normal).sum().squareRoot() / 2
        }
    }

    /// The surface of each configuration in a block of unit spacing.
    private static let triangles: [[Triangle]] = (0..<256).map { configuration in
        polygons(of: configuration).flatMap { polygon in
            polygon.indices.map { apex in
                let corners = polygon[apex...] + polygon[..<apex]
                let fan = Array(corners)
                return (1..<fan.count - 1).map { Triangle(a: fan[0], b: fan[$0], c: fan[$0 + 1]) }
            }.max { Self.area(of: $0) < Self.area(of: $1) } ?? []
        }
    }

    private static func area(of triangles: [Triangle]) -> Double {
        triangles.reduce(0) { $0 + $1.area(spacing: SIMD3(1, 1, 1)) }
    }

    /// The closed lines along which the surface leaves the faces of the block.
    private static func polygons(of configuration: Int) -> [[SIMD3<Double>]] {
        let keepsInsideApart = configuration.nonzeroBitCount <= 4
        var neighbours: [SIMD3<Double>: [SIMD3<Double>]] = [:]
        for corners in faces {
            let isInside = corners.map { configuration >> index(of: $0) & 1 == 1 }
            let middles = (0..<4).map { (corners[$0] + corners[($0 + 1) % 4]) / 2 }
            let cut = (0..<4).filter { isInside[$0] != isInside[($0 + 1) % 4] }
            // A line around each lone corner, or one across the face.
            let ends: [(Int, Int)] =
                switch cut.count {
                case 2: [(cut[0], cut[1])]
                case 4: (0..<4).filter { isInside[$0] == keepsInsideApart }.map { (($0 + 3) % 4, $0) }
                default: []
                }
            for (first, second) in ends {
                neighbours[middles[first], default: []].append(middles[second])
                neighbours[middles[second], default: []].append(middles[first])
            }
        }
        var polygons: [[SIMD3<Double>]] = []
        // In a fixed order, so that equally large fans are told apart in the same way in every process.
        for start in edgeMiddles where neighbours[start] != nil {
            var polygon: [SIMD3<Double>] = []
            var next: SIMD3<Double>? = start
            while let point = next {
                polygon.append(point)
                next = neighbours.removeValue(forKey: point)?.first { neighbours[$0] != nil }
            }
            polygons.append(polygon)
        }
        return polygons
    }

    private static func index(of corner: SIMD3<Double>) -> Int { Int(4 * corner.x + 2 * corner.y + corner.z) }

    /// The four corners of each face, in a circle.
    private static let faces: [[SIMD3<Double>]] = (0..<6).map { face in
        [(0.0, 0.0), (0, 1), (1, 1), (1, 0)].map { first, second in
            var corner = SIMD3(repeating: Double(face % 2))
            corner[(face / 2 + 1) % 3] = first
            corner[(face / 2 + 2) % 3] = second
            return corner
        }
    }

    private static let edgeMiddles: [SIMD3<Double>] = faces.flatMap { corners in
        (0..<4).map { (corners[$0] + corners[($0 + 1) % 4]) / 2 }
    }
}
