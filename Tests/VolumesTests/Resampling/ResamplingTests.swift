import Foundation
import Tensors
import Testing
import Volumes

@Suite struct ResamplingTests {
    private let cpu = CPU(threads: 2)
    private let extent = Extent3(depth: 7, height: 9, width: 11)
    private let even = [1.0, 1, 1]

    private func noise(_ count: Int) -> [Float] {
        var draws = Draws(seed: 3, purpose: "noise")
        return (0..<count).map { _ in Float(draws.normal()) }
    }

    @Test("three times as many voxels pass through the old ones", arguments: [Interpolation.nearest, .linear, .cubic])
    func interpolates(interpolation: Interpolation) {
        let voxels = noise(extent.volume)
        let fine = Extent3(dimensions: extent.dimensions.map { 3 * $0 })
        let result = Resampling(interpolation, separation: .never)(
            voxels, extent: extent, to: fine, oldSpacingMM: even, newSpacingMM: even, on: cpu)
        for d in 0..<extent.depth {
            for h in 0..<extent.height {
                for w in 0..<extent.width {
                    let found = result[((3 * d + 1) * fine.height + 3 * h + 1) * fine.width + 3 * w + 1]
                    let expected = voxels[(d * extent.height + h) * extent.width + w]
                    #expect(abs(found - expected) < 2e-5)
                }
            }
        }
    }

    @Test("a ramp stays a ramp away from the edges", arguments: [Interpolation.linear, .cubic])
    func ramp(interpolation: Interpolation) {
        let long = Extent3(depth: 1, height: 40, width: 3)
        let voxels = (0..<120).map { Float($0 / 3) }
        let result = Resampling(interpolation, separation: .never)(
            voxels, extent: long, to: Extent3(depth: 1, height: 53, width: 3), oldSpacingMM: even, newSpacingMM: even,
            on: cpu)
        for index in 12..<41 {
            let expected = (Double(index) + 0.5) * 40 / 53 - 0.5
            #expect(abs(Double(result[3 * index]) - expected) < 1e-4)
        }
    }

    @Test("splines agree with a dense solution of the interpolation equations")
    func denseSpline() {
        // The coefficients c solve (c[i-1] + 4 c[i] + c[i+1]) / 6 = x[i] on a line continued far by its edge values.
        let (count, edge, resized) = (9, 30, 14)
        let line = noise(count).map(Double.init)
        let continued = (0..<count + 2 * edge).map { line[min(max($0 - edge, 0), count - 1)] }
        var coefficients = continued
        for _ in 0..<400 {
            for index in coefficients.indices {
                let before = index > 0 ? coefficients[index - 1] : continued[0]
                let after = index + 1 < continued.count ? coefficients[index + 1] : continued[continued.count - 1]
                coefficients[index] = (6 * continued[index] - before - after) / 4
            }
        }
        func spline(_ distance: Double) -> Double {
            let d = abs(distance)
            return d < 1 ? 2 / 3 - d * d + d * d * d / 2 : d < 2 ? pow(2 - d, 3) / 6 : 0
        }
        let result = Resampling(.cubic, separation: .never)(
            line.map { Float($0) }, extent: Extent3(depth: 1, height: 1, width: count),
            to: Extent3(depth: 1, height: 1, width: resized), oldSpacingMM: even, newSpacingMM: even, on: cpu)
        for index in 0..<resized {
            let x = (Double(index) + 0.5) * Double(count) / Double(resized) - 0.5
            let sum = coefficients.indices.reduce(0) { $0 + coefficients[$1] * spline(x - Double($1 - edge)) }
            let clipped = min(max(sum, line.min()!), line.max()!)
            #expect(abs(Double(result[index]) - clipped) < 1e-5)
        }
    }

    @Test("equal extents return the input, constants stay constant, nothing leaves the input's range")
    func invariants() {
        let voxels = noise(extent.volume)
        let resampling = Resampling()
        #expect(
            resampling(voxels, extent: extent, to: extent, oldSpacingMM: even, newSpacingMM: [2, 2, 2], on: cpu)
                == voxels)
        let odd = Extent3(depth: 13, height: 5, width: 17)
        let constant = resampling(
            [Float](repeating: 3.25, count: extent.volume), extent: extent, to: odd, oldSpacingMM: even,
            newSpacingMM: even, on: cpu)
        #expect(constant.allSatisfy { $0 == 3.25 })
        let result = resampling(voxels, extent: extent, to: odd, oldSpacingMM: even, newSpacingMM: even, on: cpu)
        #expect(result.min()! >= voxels.min()! && result.max()! <= voxels.max()!)
    }

    @Test("the number of threads does not change a bit")
    func threads() {
        let voxels = noise(2 * extent.volume)
        let odd = Extent3(depth: 13, height: 5, width: 17)
        let results = [1, 2, 5].map {
            Resampling()(
                voxels, extent: extent, to: odd, oldSpacingMM: [5, 1, 1], newSpacingMM: even, on: CPU(threads: $0))
        }
        #expect(results[0] == results[1] && results[1] == results[2])
        #expect(results[0].count == 2 * odd.volume)
    }

    @Test(
        "the separate axis",
        arguments: [
            ([5.0, 1, 1], [1.0, 1, 1], 0), ([1, 1, 1], [1, 1, 3.5], 2), ([3, 1, 1], [1, 1, 1], nil),
            ([5, 5, 1], [1, 1, 1], nil),
            ([1, 4, 1], [9, 1, 1], 1),
        ] as [([Double], [Double], Int?)])
    func separateAxis(old: [Double], new: [Double], axis: Int?) {
        #expect(Resampling().separateAxis(oldSpacingMM: old, newSpacingMM: new) == axis)
        #expect(Resampling(separation: .never).separateAxis(oldSpacingMM: old, newSpacingMM: new) == nil)
    }

    @Test("labels agree with one interpolated indicator per label", arguments: [[1.0, 1, 1], [4, 1, 1]])
    func labels(old: [Double]) {
        var draws = Draws(seed: 4, purpose: "labels")
        let labels = (0..<extent.volume).map { _ in Int16(draws.integer(in: -1...3)) }
        let odd = Extent3(depth: 12, height: 7, width: 13)
        let found = Resampling.labels(labels, extent: extent, to: odd, oldSpacingMM: old, newSpacingMM: even, on: cpu)
        let scores = (-1...3).map { label in
            Resampling.linear(
                labels.map { $0 == label ? 1 : 0 }, extent: extent, to: odd, oldSpacingMM: old, newSpacingMM: even,
                on: cpu)
        }
        for index in found.indices {
            let best = scores.map { $0[index] }.max()!
            #expect(scores[Int(found[index]) + 1][index] > best - 1e-5)
        }
        // Doubling puts every result next to one voxel: the nearest wins wherever it has the largest share.
        let double = Extent3(dimensions: extent.dimensions.map { 2 * $0 })
        let single = Resampling.labels(
            [Int16](repeating: 7, count: extent.volume), extent: extent, to: double, oldSpacingMM: even,
            newSpacingMM: even, on: cpu)
        #expect(single == [Int16](repeating: 7, count: double.volume))
    }

    @Test("of tied labels the nearest voxel's wins")
    func ties() {
        // The middle of three outputs lies midway between two voxels; nearest rounds up.
        let tied = Resampling.labels(
            [1, 2], extent: Extent3(depth: 1, height: 1, width: 2), to: Extent3(depth: 1, height: 1, width: 3),
            oldSpacingMM: even, newSpacingMM: even, on: cpu)
        #expect(tied == [1, 2, 2])
    }

    @Test("new extents round halves to even")
    func newExtent() {
        let extent = Resampling.extent(
            of: Extent3(depth: 5, height: 7, width: 9), spacingMM: [0.5, 0.5, 0.5], at: [1, 1, 1])
        #expect(extent == Extent3(depth: 2, height: 4, width: 4))
    }
}
