import Foundation

/// A body in space, known by its distance function. Vectors are (depth, height, width) in millimetres.
enum Solid: Sendable {
    /// An ellipsoid with half-axes `radiiMM` along its own axes, which `rotation` carries to those of the volume.
    case ellipsoid(center: SIMD3<Double>, radiiMM: SIMD3<Double>, rotation: Rotation)
    /// A tube around a curve of balls: smooth when they stand closer than half their radius.
    case tube(balls: [Ball])

    /// A ball of a tube.
    struct Ball: Sendable {
        var center: SIMD3<Double>
        var radiusMM: Double
    }

    /// An upright ellipsoid.
    static func ellipsoid(_ center: SIMD3<Double>, radiiMM: SIMD3<Double>) -> Solid {
        .ellipsoid(center: center, radiiMM: radiiMM, rotation: .identity)
    }

    /// A tube around the curve `center(t)` of radius `radiusMM(t)` for t in a part of `0...1`.
    static func tube(
        _ part: ClosedRange<Double> = 0...1, center: (Double) -> SIMD3<Double>, radiusMM: (Double) -> Double
    ) -> Solid {
        let count = 24
        return .tube(
            balls: (0...count).map { index in
                let t = part.lowerBound + (part.upperBound - part.lowerBound) * Double(index) / Double(count)
                return Ball(center: center(t), radiusMM: radiusMM(t))
            })
    }

    /// About the signed distance from `point` to the surface, in millimetres; negative inside. Exact for tubes, of first
    /// order in the distance for ellipsoids.
    func distanceMM(to point: SIMD3<Double>) -> Double {
        switch self {
        case .ellipsoid(let center, let radii, let rotation):
            let local = rotation.undone(point - center)
            let scaled = local / radii
            let gradient = scaled / radii
            let (length, steepness) = ((scaled * scaled).sum().squareRoot(), (gradient * gradient).sum().squareRoot())
            return steepness > 1e-9 ? length * (length - 1) / steepness : -radii.min()
        case .tube(let balls):
            var nearest = Double.infinity
            for ball in balls {
                let offset = point - ball.center
                nearest = min(nearest, (offset * offset).sum().squareRoot() - ball.radiusMM)
            }
            return nearest
        }
    }

    /// The corners of a box around the body.
    var bounds: (lower: SIMD3<Double>, upper: SIMD3<Double>) {
        switch self {
        case .ellipsoid(let center, let radii, let rotation):
            let reach = rotation.isIdentity ? radii : SIMD3(repeating: radii.max())
            return (center - reach, center + reach)
        case .tube(let balls):
            var lower = SIMD3(repeating: Double.infinity)
            var upper = -lower
            for ball in balls {
                lower = pointwiseMin(lower, ball.center - ball.radiusMM)
                upper = pointwiseMax(upper, ball.center + ball.radiusMM)
            }
            return (lower, upper)
        }
    }
}

/// A rotation of space by angles about the depth, height and width axes, in this order.
struct Rotation: Sendable {
    private let rows: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)
    let isIdentity: Bool

    static let identity = Rotation(degrees: .zero)

    /// - Parameter degrees: the angles about depth, height and width.
    init(degrees: SIMD3<Double>) {
        let angles = degrees * (.pi / 180)
        let (c, s) = (
            SIMD3(cos(angles.x), cos(angles.y), cos(angles.z)), SIMD3(sin(angles.x), sin(angles.y), sin(angles.z))
        )
        rows = (
            SIMD3(c.z * c.y, c.z * s.y * s.x - s.z * c.x, c.z * s.y * c.x + s.z * s.x),
            SIMD3(s.z * c.y, s.z * s.y * s.x + c.z * c.x, s.z * s.y * c.x - c.z * s.x),
            SIMD3(-s.y, c.y * s.x, c.y * c.x)
        )
        isIdentity = degrees == .zero
    }

    /// The rotated vector.
    func callAsFunction(_ v: SIMD3<Double>) -> SIMD3<Double> {
        SIMD3((rows.0 * v).sum(), (rows.1 * v).sum(), (rows.2 * v).sum())
    }

    /// The vector that the rotation carries to `v`.
    func undone(_ v: SIMD3<Double>) -> SIMD3<Double> { rows.0 * v.x + rows.1 * v.y + rows.2 * v.z }
}
