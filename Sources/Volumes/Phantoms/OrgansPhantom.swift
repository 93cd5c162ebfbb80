import Tensors

extension Anatomy {
    /// An abdomen: liver (1), spleen (2), right (3) and left (4) kidney, aorta (5) and stomach (6), among bowel, spine and
    /// muscle that carry no label.
    static func organs(draws: inout Draws) -> Anatomy {
        let size = draws.uniform(in: 0.9..<1.1)
        let shift = draws.near(SIMD3.zero, spread: 6)
        func place(_ up: Double, _ forward: Double, _ leftward: Double, spread: Double = 5) -> SIMD3<Double> {
            draws.near(SIMD3(up, forward, leftward), spread: spread) * size + shift
        }
        func ellipsoid(
            _ center: SIMD3<Double>, _ radii: SIMD3<Double>, _ tissue: Tissue, _ label: Int16, foldMM: Double = 2
        ) -> Part {
            Part(
                solid: .ellipsoid(
                    center: center, radiiMM: radii * size * draws.uniform(in: 0.88..<1.12),
                    rotation: Rotation(degrees: draws.near(SIMD3.zero, spread: 12))),
                tissue: tissue, label: label, foldMM: foldMM)
        }

        // The trunk reaches far above and below the field of view.
        let trunk = SIMD3(400, 100, 145) * size
        var parts = [
            Part(solid: .ellipsoid(shift, radiiMM: trunk), tissue: .fat, label: 0, foldMM: 3),
            Part(
                solid: .ellipsoid(shift, radiiMM: trunk - draws.uniform(in: 8..<18)), tissue: .muscle, label: 0,
                foldMM: 3),
            Part(
                solid: .ellipsoid(shift, radiiMM: trunk - draws.uniform(in: 26..<32)), tissue: .fat, label: 0, foldMM: 3
            ),
        ]
        for _ in 0..<9 {
            let center = place(draws.near(-30, spread: 35), draws.near(28, spread: 22), draws.near(0, spread: 75))
            parts.append(ellipsoid(center, SIMD3(16, 14, 18), .bowel, 0, foldMM: 4))
        }
        parts.append(ellipsoid(place(25, 10, -65), SIMD3(52, 58, 52), .liver, 1, foldMM: 5))
        parts.append(ellipsoid(place(30, 28, 35), SIMD3(26, 26, 38), .stomach, 6, foldMM: 4))
        parts.append(ellipsoid(place(32, -30, 88), SIMD3(34, 28, 20), .spleen, 2, foldMM: 3))
        parts.append(ellipsoid(place(-22, -38, -52), SIMD3(36, 19, 21), .kidney, 3))
        parts.append(ellipsoid(place(-14, -38, 56), SIMD3(36, 19, 21), .kidney, 4))
        let (spine, sway) = (place(0, -48, 0, spread: 3), draws.near(0, spread: 6))
        parts.append(
            Part(
                solid: .tube {
                    spine + SIMD3(220 * $0 - 110, sway * $0, 0)
                } radiusMM: { _ in
                    20 * size
                }, tissue: .bone,
                label: 0, foldMM: 2))
        parts.append(
            Part(
                solid: .tube {
                    spine + SIMD3(220 * $0 - 110, 31 + sway * $0, 6)
                } radiusMM: { _ in
                    9.5 * size
                },
                tissue: .vessel, label: 5, foldMM: 0.5))
        return Anatomy(
            surroundings: .air, parts: parts, foldWavelengthsMM: 35...70, warpMM: 5, warpWavelengthsMM: 120...240)
    }
}
