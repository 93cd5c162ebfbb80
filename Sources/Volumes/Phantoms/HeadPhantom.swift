import Tensors

extension Anatomy {
    /// A head: nested shells of skin (1), skull (2) and fluid (3), folded grey (4) and white (5) matter, ventricles (6) and
    /// up to four lesions (7).
    static func head(draws: inout Draws) -> Anatomy {
        let brain = SIMD3(draws.near(62, spread: 5), draws.near(80, spread: 6), draws.near(64, spread: 5))
        let tilt = Rotation(degrees: draws.near(SIMD3.zero, spread: 8))
        let center = draws.near(SIMD3.zero, spread: 4)
        func shell(_ growth: Double) -> Solid {
            .ellipsoid(center: center, radiiMM: brain + growth, rotation: tilt)
        }
        let (fluid, bone, skin) = (draws.uniform(in: 2..<5), draws.uniform(in: 5..<8), draws.uniform(in: 4..<8))
        let ribbon = draws.uniform(in: 4..<6.5)

        var parts = [
            Part(solid: shell(fluid + bone + skin), tissue: .skin, label: 1, foldMM: 1),
            Part(solid: shell(fluid + bone), tissue: .bone, label: 2),
            Part(solid: shell(fluid), tissue: .fluid, label: 3),
            Part(solid: shell(0), tissue: .grey, label: 4, foldMM: 2.5),
            Part(solid: shell(-ribbon - 3), tissue: .white, label: 5, foldMM: 5),
        ]
        let swelling = draws.uniform(in: 0.7..<1.6)
        for side in [-1.0, 1] {
            func place(_ offset: SIMD3<Double>) -> SIMD3<Double> {
                tilt(SIMD3(offset.x, offset.y, side * offset.z)) + center
            }
            parts.append(
                Part(
                    solid: .ellipsoid(
                        center: place(draws.near(SIMD3(-2, 6, 22), spread: 2)),
                        radiiMM: draws.near(SIMD3(11, 17, 7), spread: 1.5), rotation: tilt),
                    tissue: .grey, label: 4, foldMM: 1))
            parts.append(
                Part(
                    solid: .tube { t in
                        place(SIMD3(12 - 22 * (t - 0.3) * (t - 0.3), 30 - 58 * t, 7 + 12 * t * t))
                    } radiusMM: {
                        (3.5 + 2 * $0) * swelling
                    },
                    tissue: .fluid, label: 6, foldMM: 0.6))
        }
        for _ in 0..<draws.integer(in: 0...4) {
            let direction = SIMD3(draws.normal(), draws.normal(), draws.normal())
            let length = max((direction * direction).sum().squareRoot(), 1e-9)
            parts.append(
                Part(
                    solid: .ellipsoid(
                        center: tilt(direction / length * brain * draws.uniform(in: 0.35..<0.7)) + center,
                        radiiMM: draws.near(SIMD3(repeating: 7), spread: 3),
                        rotation: Rotation(degrees: draws.near(SIMD3.zero, spread: 90))),
                    tissue: .lesion, label: 7, foldMM: 1))
        }
        return Anatomy(
            surroundings: .air, parts: parts, foldWavelengthsMM: 12...24, warpMM: 3, warpWavelengthsMM: 80...160)
    }
}
