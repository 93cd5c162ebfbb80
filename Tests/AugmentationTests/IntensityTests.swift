import Augmentation
import Foundation
import Tensors
import Testing
import Volumes

/// Applies `transform` with fresh draws.
private func applied(_ transform: some PatchTransform, to patch: Patch, step: Int = 0) -> Patch {
    var (result, draws) = (patch, Draws.of(step: step))
    transform.apply(to: &result, draws: &draws)
    return result
}

@Suite struct IntensityTests {
    private let patch = randomPatch(Extent3(depth: 12, height: 10, width: 14), channels: 2)

    @Test(
        "factor 1 changes nothing",
        arguments: [
            Gamma(probability: 1, exponent: .uniform(1...1)),
            Gamma(probability: 1, exponent: .uniform(1...1), isInverted: true),
            Contrast(probability: 1, factor: .uniform(1...1)), Brightness(probability: 1, factor: .uniform(1...1)),
            GaussianNoise(probability: 1, deviation: 0...0),
            LowResolution(probability: 1, channelProbability: 1, factor: 1...1),
        ] as [any PatchTransform])
    func identities(transform: any PatchTransform) {
        #expect(largestDifference(applied(transform, to: patch).image, patch.image) < 2e-6)
    }

    @Test(
        "what was not drawn is left alone",
        arguments: [
            Gamma(probability: 0), Contrast(probability: 0), Brightness(probability: 0), GaussianNoise(probability: 0),
            LowResolution(probability: 0), GaussianBlur(probability: 0),
            LowResolution(probability: 1, channelProbability: 0),
            GaussianBlur(probability: 1, channelProbability: 0), Mirroring(probability: 0),
        ] as [any PatchTransform])
    func notDrawn(transform: any PatchTransform) {
        #expect(applied(transform, to: patch) == patch)
    }

    @Test(
        "transforms are functions of their draws and leave labels alone",
        arguments: [
            Gamma(probability: 1), Gamma(probability: 1, isInverted: true), Contrast(probability: 1),
            Brightness(probability: 1),
            GaussianNoise(probability: 1), LowResolution(probability: 1, channelProbability: 1),
            GaussianBlur(probability: 1, channelProbability: 1),
        ] as [any PatchTransform])
    func deterministic(transform: any PatchTransform) {
        let first = applied(transform, to: patch)
        #expect(first == applied(transform, to: patch))
        #expect(first.image != patch.image)
        #expect(first.image != applied(transform, to: patch, step: 1).image)
        #expect(first.labels == patch.labels)
        #expect(first.image.allSatisfy { $0.isFinite })
    }

    @Test("gamma bends as its formula, then restores mean and deviation", arguments: [false, true])
    func gamma(isInverted: Bool) {
        let exponent = 1.37
        let result = applied(
            Gamma(probability: 1, exponent: .uniform(exponent...exponent), isInverted: isInverted), to: patch)
        for channel in 0..<2 {
            let range = channel * patch.extent.volume..<(channel + 1) * patch.extent.volume
            let sign: Double = isInverted ? -1 : 1
            let before = patch.image[range].map { sign * Double($0) }
            let (low, high) = (before.min()!, before.max()!)
            let bent = before.map { Float(pow(($0 - low) / (high - low), exponent) * (high - low) + low) }
            let (wanted, found) = (moments(patch.image[range]), moments(bent))
            let expected = bent.map {
                Float(sign * ((Double($0) - found.mean) * wanted.deviation / found.deviation + sign * wanted.mean))
            }
            #expect(largestDifference(Array(result.image[range]), expected) < 1e-5)
            let after = moments(result.image[range])
            #expect(abs(after.mean - wanted.mean) < 1e-5 && abs(after.deviation - wanted.deviation) < 1e-5)
        }
    }

    @Test func constantImagesSurviveGamma() {
        let flat = Patch(image: [Float](repeating: 3, count: 64), channels: 1, labels: nil, extent: 4)
        #expect(applied(Gamma(probability: 1), to: flat).image.allSatisfy { abs($0 - 3) < 1e-6 })
    }

    @Test func contrastKeepsRangeAndMovesFromTheMean() {
        let factor = 1.25
        let result = applied(Contrast(probability: 1, factor: .uniform(factor...factor)), to: patch)
        let channel = patch.image.prefix(patch.extent.volume)
        let (mean, low, high) = (moments(channel).mean, Double(channel.min()!), Double(channel.max()!))
        let expected = channel.map { Float(min(max((Double($0) - mean) * factor + mean, low), high)) }
        #expect(largestDifference(Array(result.image.prefix(patch.extent.volume)), expected) < 1e-5)
    }

    @Test func brightnessMultipliesEachChannelByItsFactor() {
        let result = applied(Brightness(probability: 1), to: patch)
        let volume = patch.extent.volume
        let factors = [0, volume].map { result.image[$0] / patch.image[$0] }
        #expect(factors[0] != factors[1])
        #expect(factors.allSatisfy { (0.75...1.25).contains($0) })
        for index in 0..<volume { #expect(abs(result.image[index] - factors[0] * patch.image[index]) < 1e-5) }
    }

    @Test func noiseIsNormal() {
        let empty = Patch(
            image: [Float](repeating: 0, count: 80_001), channels: 1, labels: nil,
            extent: Extent3(depth: 1, height: 1, width: 80_001))
        let noise = applied(GaussianNoise(probability: 1, deviation: 2...2), to: empty).image
        let (mean, deviation) = moments(noise)
        #expect(abs(mean) < 0.03 && abs(deviation - 2) < 0.02)
        // 68.27 % of a normal distribution lie within one deviation, 4.55 % beyond two.
        #expect(abs(Double(noise.filter { abs($0) < 2 }.count) / 80_001 - 0.6827) < 0.006)
        #expect(abs(Double(noise.filter { abs($0) > 4 }.count) / 80_001 - 0.0455) < 0.004)
        // Neighbours come from one pair of draws and must not depend on each other.
        let product = zip(noise, noise.dropFirst()).reduce(0.0) { $0 + Double($1.0 * $1.1) } / 80_000
        #expect(abs(product) < 0.06)
    }

    /// A single bright voxel becomes the kernel: at sigma 0.5 three taps, `exp(-2)` beside the centre.
    @Test func blurOfAPointIsTheKernel() {
        var point = Patch(image: [Float](repeating: 0, count: 729), channels: 1, labels: nil, extent: 9)
        point.image[4 * 81 + 4 * 9 + 4] = 1
        let result = applied(GaussianBlur(probability: 1, channelProbability: 1, sigma: 0.5...0.5), to: point).image
        let side = exp(-2.0) / (1 + 2 * exp(-2.0)), centre = 1 / (1 + 2 * exp(-2.0))
        #expect(abs(Double(result[364]) - centre * centre * centre) < 1e-6)
        #expect(abs(Double(result[365]) - centre * centre * side) < 1e-6)
        #expect(abs(Double(result[364 + 81 + 9 + 1]) - side * side * side) < 1e-6)
        #expect(result[366] == 0)
        #expect(abs(result.reduce(0, +) - 1) < 1e-5)
    }

    /// Six deviations and a half, to the nearest odd number: 7 taps at sigma 1.
    @Test func blurReachesThreeVoxelsAtMost() {
        var point = Patch(
            image: [Float](repeating: 0, count: 21), channels: 1, labels: nil,
            extent: Extent3(depth: 1, height: 1, width: 21))
        point.image[10] = 1
        let result = applied(GaussianBlur(probability: 1, channelProbability: 1, sigma: 1...1), to: point).image
        #expect(result.indices.filter { result[$0] > 0 } == Array(7...13))
    }

    @Test func blurKeepsConstantsAndReflectsAtFaces() {
        let flat = Patch(
            image: [Float](repeating: 2, count: 60), channels: 1, labels: nil,
            extent: Extent3(depth: 3, height: 4, width: 5))
        let blur = GaussianBlur(probability: 1, channelProbability: 1)
        #expect(applied(blur, to: flat).image.allSatisfy { abs($0 - 2) < 1e-5 })
        // A ramp that is reflected at its first voxel (not repeating it) rises there: 2 * 1 * side.
        let ramp = Patch(
            image: (0..<9).map(Float.init), channels: 1, labels: nil, extent: Extent3(depth: 1, height: 1, width: 9))
        let side = exp(-2.0) / (1 + 2 * exp(-2.0))
        let blurred = applied(GaussianBlur(probability: 1, channelProbability: 1, sigma: 0.5...0.5), to: ramp).image
        #expect(abs(Double(blurred[0]) - 2 * side) < 1e-6)
        #expect(abs(blurred[4] - 4) < 1e-5)
    }

    /// Eight voxels through four: voxels 1, 3, 5, 7 are kept (nearest-exact) and lie at 0.5, 2.5, 4.5, 6.5.
    @Test func lowResolutionPicksAndJoins() {
        let ramp = Patch(
            image: [0, 10, 20, 30, 40, 50, 60, 70], channels: 1, labels: nil,
            extent: Extent3(depth: 1, height: 1, width: 8))
        let result = applied(LowResolution(probability: 1, channelProbability: 1, factor: 0.5...0.5), to: ramp).image
        #expect(largestDifference(result, [10, 15, 25, 35, 45, 55, 65, 70]) < 1e-5)
    }

    @Test func lowResolutionMayKeepDepth() {
        let source = randomPatch(Extent3(depth: 6, height: 8, width: 8))
        let transform = LowResolution(probability: 1, channelProbability: 1, factor: 0.5...0.5, keepsDepth: true)
        let whole = applied(transform, to: source)
        for depth in 0..<6 {
            let slice = source.patch(in: VoxelBox(depth: depth..<depth + 1, height: 0..<8, width: 0..<8))
            let expected = applied(transform, to: slice)
            #expect(expected.image == Array(whole.image[depth * 64..<depth * 64 + 64]))
        }
    }

    @Test func theOutsideIsMasked() {
        var source = patch
        source.labels?[7] = -1
        let result = applied(OutsideMask(), to: source)
        #expect(result.image[7] == 0 && result.image[7 + patch.extent.volume] == 0)
        #expect(result.image[8] == patch.image[8])
        source.treatOutsideAsBackground()
        #expect(source.labels?[7] == 0)
    }
}

@Suite struct FactorRangeTests {
    @Test func balancedFactorsAreBelowOneHalfOfTheTime() {
        var draws = Draws.of(step: 1)
        let factors = (0..<20_000).map { _ in FactorRange.balanced(0.7...1.5).draw(&draws) }
        #expect(factors.allSatisfy { (0.7...1.5).contains($0) })
        #expect(abs(Double(factors.filter { $0 < 1 }.count) / 20_000 - 0.5) < 0.02)
        // Uniform on each side: means 0.85 and 1.25.
        #expect(abs(factors.reduce(0, +) / 20_000 - 1.05) < 0.01)
    }

    @Test func rangesAboveOneAreUniform() {
        var draws = Draws.of(step: 2)
        #expect((0..<1000).allSatisfy { _ in FactorRange.balanced(1.2...1.4).draw(&draws) >= 1.2 })
    }
}
