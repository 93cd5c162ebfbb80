import Foundation
import Pretraining
import Tensors
import Testing
import Training

struct GVSLTests {
    private let cpu = CPU(threads: 2)
    private let extent = Extent3(depth: 12, height: 14, width: 16)

    private func noise(seed: UInt64) -> Tensor {
        var draws = Draws(seed: seed, purpose: "test noise")
        let shape = Shape(samples: 1, extent: extent, channels: 1)
        return Tensor((0..<shape.count).map { _ in Float(draws.normal()) }, shape: shape, on: cpu)
    }

    private func parameters(
        angles: [Float] = [0, 0, 0], factors: [Float] = [1, 1, 1], translations: [Float] = [0, 0, 0],
        shears: [Float] = [0, 0, 0, 0, 0, 0]
    ) -> AffineParameters {
        func row(_ values: [Float]) -> Tensor { Tensor(values, shape: [1, values.count], on: cpu) }
        return AffineParameters(
            angles: row(angles), factors: row(factors), translations: row(translations), shears: row(shears))
    }

    @Test func theIdentityMovesNothing() {
        let x = noise(seed: 1)
        let moved = sampleLinearly(x, at: parameters().places(in: extent))
        #expect(zip(moved.scalars, x.scalars).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    /// A quarter turn about the depth axis takes height to width and width to minus height; a translation is in halves.
    @Test func placesAreThoseOfTheMatrix() {
        func place(_ parameters: AffineParameters, _ d: Int, _ h: Int, _ w: Int) -> [Float] {
            let first = 3 * ((d * 14 + h) * 16 + w)
            return Array(parameters.places(in: extent).scalars[first..<first + 3])
        }
        func isClose(_ a: [Float], _ b: [Float]) -> Bool { zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 } }
        // The middle is at (5.5, 6.5, 7.5).
        let turned = place(parameters(angles: [.pi / 2, 0, 0]), 2, 8, 11)
        #expect(isClose(turned, [2, 3, 9]))
        let scaled = place(parameters(factors: [2, 1, 0.5], translations: [0, 1, 0]), 2, 8, 11)
        #expect(isClose(scaled, [-1.5, 15, 9.25]))
        let sheared = place(parameters(shears: [0.5, 0, 0, 0, 0, 2]), 2, 8, 11)
        #expect(isClose(sheared, [2.75, 8, 14]))
        // Shear after scaling, both after turning: 1.5 becomes height -3.5 scaled by 2, of which depth takes half.
        let all = place(
            parameters(angles: [.pi / 2, 0, 0], factors: [1, 2, 1], shears: [0.5, 0, 0, 0, 0, 0]), 2, 8, 11)
        #expect(isClose(all, [-1.5, -0.5, 9]))
    }

    /// In the public code no gradient reaches the affine head.
    @Test func everyNumberOfTheMapHasAGradient() throws {
        // Smooth, also at the faces: the derivative of straight lines jumps from voxel to voxel.
        func smooth(_ phase: Double) -> Tensor {
            let values = (0..<extent.volume).map { voxel -> Float in
                let (d, h, w) = (Double(voxel / 224), Double(voxel / 16 % 14), Double(voxel % 16))
                let fade = sin(.pi * (d + 1) / 13) * sin(.pi * (h + 1) / 15) * sin(.pi * (w + 1) / 17)
                let waves = sin(0.4 * d + phase) + sin(0.3 * h + 2 * phase) + sin(0.35 * w + 3 * phase)
                return Float(fade * waves)
            }
            return Tensor(values, shape: Shape(samples: 1, extent: extent, channels: 1), on: cpu)
        }
        let (x, y) = (smooth(0.5), smooth(1.2))
        let start = parameters(
            angles: [0.1, -0.2, 0.05], factors: [1.1, 0.9, 1], translations: [0.05, -0.1, 0.02],
            shears: [0.1, 0, -0.1, 0.05, 0, 0.1])
        let values = [start.angles, start.factors, start.translations, start.shears]
        func loss(_ values: [Tensor]) -> Tensor {
            let map = AffineParameters(
                angles: values[0], factors: values[1], translations: values[2], shears: values[3])
            return squaredError(sampleLinearly(x, at: map.places(in: extent)), target: y)
        }
        let tracked = values.map { $0.tracked() }
        let gradients = loss(tracked).backward()
        for (index, value) in values.enumerated() {
            let gradient = try #require(gradients[tracked[index]]).scalars
            for element in gradient.indices {
                func moved(_ step: Float) -> Double {
                    var all = values
                    var scalars = value.scalars
                    scalars[element] += step
                    all[index] = Tensor(scalars, shape: value.shape, on: cpu)
                    return Double(loss(all).item)
                }
                let numeric = (moved(1e-3) - moved(-1e-3)) / 2e-3
                let (found, allowed) = (Double(gradient[element]), 0.05 * max(0.2, abs(numeric)))
                #expect(abs(numeric - found) < allowed, "\(index), \(element): \(numeric), \(gradient[element])")
            }
        }
    }

    @Test func correlationIgnoresBrightnessAndContrast() {
        let (x, y) = (noise(seed: 1), noise(seed: 2))
        // At the faces boxes hold zeros, but an image still agrees with itself.
        #expect(abs(localCorrelationLoss(x, reference: x).item) < 1e-3)
        let other = localCorrelationLoss(x, reference: y).item
        #expect(other > 0.95 && other <= 1)
        let contrasted = localCorrelationLoss(scale(x, by: -3), reference: y).item
        #expect(abs(contrasted - other) < 1e-4)
    }

    /// Constant: 0. A ramp of 1 per voxel along one axis in one of three components: 1/3 / 3.
    @Test func roughnessOfRamps() {
        let shape = Shape(samples: 1, extent: extent, channels: 3)
        #expect(roughness(Tensor(filledWith: 4, shape: shape, on: cpu)).item == 0)
        let ramp = (0..<shape.count).map { index -> Float in
            let height = index / 48 % 14
            return index % 3 == 1 ? Float(height) : 0
        }
        let found = roughness(Tensor(ramp, shape: shape, on: cpu)).item
        #expect(abs(found - 1.0 / 9) < 1e-5)
    }

    @Test func viewsOfAPairAreMovedAlike() throws {
        let recipe = try RecipeDocument.parse(
            """
            method: gvsl
            plan: {patch: 32}
            views: {shuffling_probability: 0, intensity_probability: 0, rotation_degrees: 0, scaling: 1, shear_degrees: 0,
              shift: 0, elastic_voxels: 0}
            """
        ).resolve(PretrainingRecipe.init(reading:)).0
        let views = try #require(recipe.method as? GVSL).views
        let images = [waves(seed: 1), waves(seed: 2)]
        let patches = try PatchBatches(
            of: images, cutter: .plain(patch: 24), samples: 2, seed: 1, arePairs: true
        ).batch(step: 0)
        // A motion of nothing: A and B are as they were, A' is painted only, with up to 30 boxes of 2 to 3 voxels.
        var painted = 0
        for step in 0..<10 {
            let batch = views.batch(of: patches, at: BatchPlace(seed: 1, step: step, phase: .training))
            #expect(zip(batch.fixed.voxels, patches.patch(0).image).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(zip(batch.moving.voxels, patches.patch(1).image).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(batch.fixed.names[0] != batch.moving.names[0])
            painted += zip(batch.altered.voxels, batch.fixed.voxels).count { abs($0 - $1) > 0.3 }
        }
        #expect(painted > 200 && painted < 10 * 30 * 27)
    }
}
