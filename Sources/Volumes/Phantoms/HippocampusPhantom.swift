import Foundation
import Tensors

extension Anatomy {
    /// A crop around a hippocampus: a curved structure whose front (1) and back (2) part look alike, so that only place and
    /// shape tell where one ends, beside grey matter that looks the same and is neither.
    static func hippocampus(draws: inout Draws) -> Anatomy {
        let side: Double = draws.chance(0.5) ? 1 : -1
        let size = draws.uniform(in: 0.85..<1.18)
        let turn = Rotation(degrees: draws.near(SIMD3.zero, spread: 9))
        let shift = draws.near(SIMD3.zero, spread: 2.5)
        let (rise, bend) = (draws.uniform(in: 7..<12), draws.uniform(in: 4..<8))
        let (thick, thin) = (draws.uniform(in: 5.2..<6.4), draws.uniform(in: 3.8..<4.6))

        /// From anatomical millimetres (up, forward, outward) to the volume's.
        func place(_ up: Double, _ forward: Double, _ outward: Double) -> SIMD3<Double> {
            turn(SIMD3(up, forward, side * outward) * size) + shift
        }
        /// The axis of the hippocampus, from its front end (t = 0) to its tail (t = 1).
        func axis(_ t: Double) -> SIMD3<Double> {
            place(-4 + rise * t * t, 16 - 33 * t, 2 - bend * (t - 0.45) * (t - 0.45) * 4)
        }
        func radius(_ t: Double) -> Double {
            size * (thin + (thick - thin) * exp(-pow((t - 0.14) / 0.28, 2)) + 0.5 * (1 - t))
        }
        let border = draws.uniform(in: 0.30..<0.42)

        var parts = [
            // The cortex below and the amygdala in front are as bright as the hippocampus and nearly touch it.
            Part(
                solid: .tube {
                    place(-14 + 3 * $0, 20 - 42 * $0, 1 + 3 * $0)
                } radiusMM: { _ in
                    4.5 * size
                },
                tissue: .grey, label: 0, foldMM: 1.2),
            Part(
                solid: .ellipsoid(place(5, 19, 0), radiiMM: SIMD3(6, 6.5, 6.5) * size), tissue: .grey, label: 0,
                foldMM: 0.8),
            Part(
                solid: .ellipsoid(place(2, -2, -17), radiiMM: SIMD3(13, 15, 7.5) * size), tissue: .fluid, label: 0,
                foldMM: 1.5),
            Part(
                solid: .ellipsoid(place(14, -8, -9), radiiMM: SIMD3(5, 9, 6) * size), tissue: .grey, label: 0, foldMM: 1
            ),
            // The temporal horn of the ventricle runs along the outer side.
            Part(
                solid: .tube {
                    axis($0) + place(3.5, 0, 5.5) - shift
                } radiusMM: {
                    1.6 * size + 0.9 * $0
                },
                tissue: .fluid, label: 0),
        ]
        parts.append(
            Part(solid: .tube(border...1, center: axis, radiusMM: radius), tissue: .grey, label: 2, foldMM: 0.5))
        parts.append(
            Part(solid: .tube(0...border, center: axis, radiusMM: radius), tissue: .grey, label: 1, foldMM: 0.5))
        return Anatomy(
            surroundings: .white, parts: parts, foldWavelengthsMM: 7...14, warpMM: 1.1, warpWavelengthsMM: 25...50)
    }
}
