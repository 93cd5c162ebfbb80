import Foundation
import Tensors

/// What a scanner adds to the ideal image: brightness that drifts over the field of view, noise, and a scale of its own.
struct PhantomScanner {
    let contrast: PhantomContrast
    let noise: Double
    let bias: Double

    /// Rician noise and a bias field for MR, Gaussian noise for CT.
    func scan(_ image: inout [Float], geometry: Geometry, seed: UInt64, index: Int) {
        var noiseDraws = Draws(seed: seed, purpose: .phantomNoise, sample: index)
        guard contrast != .ct else {
            let deviation = noise * 250
            for voxel in image.indices {
                image[voxel] = max(-1024, image[voxel] + Float(deviation * noiseDraws.normal())).rounded()
            }
            return
        }
        var biasDraws = Draws(seed: seed, purpose: .phantomBias, sample: index)
        let (extent, spacing) = (geometry.extent, geometry.spacingMM)
        let fieldOfView = (0..<3).map { spacing[$0] * Double(extent[$0]) }.max() ?? 1
        let field = SmoothField(wavelengthsMM: fieldOfView...2 * fieldOfView, draws: &biasDraws)
        let scale = exp(biasDraws.uniform(in: log(80)..<log(1200)))

        withUnsafeTemporaryAllocation(of: Double.self, capacity: extent.width) { row in
            var voxel = 0
            for depth in 0..<extent.depth {
                for height in 0..<extent.height {
                    row.initialize(repeating: 0)
                    let start = SIMD3(Double(depth) * spacing[0], Double(height) * spacing[1], 0)
                    field.add(scale: bias, start: start, step: SIMD3(0, 0, spacing[2]), to: row)
                    for column in 0..<extent.width {
                        let signal = Double(image[voxel]) * exp(row[column])
                        let (real, imaginary) = (signal + noise * noiseDraws.normal(), noise * noiseDraws.normal())
                        image[voxel] = Float(scale * (real * real + imaginary * imaginary).squareRoot())
                        voxel += 1
                    }
                }
            }
        }
    }
}

extension Draws.Purpose {
    static let phantomBias: Self = "phantom-bias"
    static let phantomNoise: Self = "phantom-noise"
}
