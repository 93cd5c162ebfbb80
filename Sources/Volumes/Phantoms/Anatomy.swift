import Tensors

/// A made-up body: solids painted one over the other, each of a tissue and with a label.
struct Anatomy: Sendable {
    /// One solid of the body.
    struct Part: Sendable {
        var solid: Solid
        var tissue: Tissue
        /// The class to learn; 0 for surroundings that only look like one.
        var label: Int16
        /// How far the folds of the surface rise and fall, in millimetres.
        var foldMM = 0.0
    }

    /// What surrounds all parts.
    var surroundings: Tissue
    /// The parts, in the order of painting; the last one that holds a voxel decides its label.
    var parts: [Part]
    /// The distances between the folds of rough surfaces.
    var foldWavelengthsMM: ClosedRange<Double>
    /// How far the body is warped as a whole, and over which lengths.
    var warpMM: Double
    var warpWavelengthsMM: ClosedRange<Double>
}

extension Draws {
    /// `center ± spread`, uniformly, along each axis.
    mutating func near(_ center: SIMD3<Double>, spread: Double) -> SIMD3<Double> {
        SIMD3(near(center.x, spread: spread), near(center.y, spread: spread), near(center.z, spread: spread))
    }

    /// `center ± spread`, uniformly.
    mutating func near(_ center: Double, spread: Double) -> Double { center + spread * (2 * uniform() - 1) }
}
