import Foundation
import Tensors

/// A smooth random function of space: a few cosine waves of random direction, length and phase.
///
/// Its values have mean 0 and standard deviation 1. Neither grid nor interpolation is involved, so it can be asked for any
/// place in millimetres.
struct SmoothField: Sendable {
    private struct Wave {
        var frequency: SIMD3<Double>
        var phase: Double
        var amplitude: Double
    }

    private let waves: [Wave]

    /// - Parameter wavelengthsMM: the range of the distances from crest to crest.
    init(wavelengthsMM: ClosedRange<Double>, waves count: Int = 6, draws: inout Draws) {
        waves = (0..<count).map { _ in
            var direction = SIMD3(draws.normal(), draws.normal(), draws.normal())
            direction /= max((direction * direction).sum().squareRoot(), 1e-9)
            let wavelength = draws.uniform(in: wavelengthsMM.lowerBound..<wavelengthsMM.upperBound.nextUp)
            return Wave(
                frequency: direction * (2 * .pi / wavelength), phase: draws.uniform(in: 0..<2 * .pi),
                amplitude: (2 / Double(count)).squareRoot())
        }
    }

    /// The values at `start`, `start + step`, ... Two rotations per wave and value: no trigonometry in the loop.
    func add(scale: Double, start: SIMD3<Double>, step: SIMD3<Double>, to row: UnsafeMutableBufferPointer<Double>) {
        for wave in waves {
            let (angle, turn) = ((start * wave.frequency).sum() + wave.phase, (step * wave.frequency).sum())
            var (real, imaginary) = (scale * wave.amplitude * cos(angle), scale * wave.amplitude * sin(angle))
            let (turnReal, turnImaginary) = (cos(turn), sin(turn))
            for index in row.indices {
                row[index] += real
                (real, imaginary) = (
                    real * turnReal - imaginary * turnImaginary, real * turnImaginary + imaginary * turnReal
                )
            }
        }
    }
}
