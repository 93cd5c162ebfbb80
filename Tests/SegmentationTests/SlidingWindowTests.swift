import Foundation
import Segmentation
import Tensors
import Testing

struct SlidingWindowTests {
    private let cpu = CPU(threads: 2)

    @Test(
        "windows start where nnU-Net's do",
        arguments: [
            (110, 64, 0.5, [0, 23, 46]), (160, 160, 0.5, [0]), (161, 160, 0.5, [0, 1]),
            (400, 128, 0.5, [0, 54, 109, 163, 218, 272]), (20, 32, 0.5, [0]),
        ] as [(Int, Int, Double, [Int])])
    func starts(length: Int, window: Int, step: Double, expected: [Int]) {
        #expect(SlidingWindow.starts(length: length, window: window, step: step) == expected)
    }

    @Test func gaussianImportanceHasNnunetsValues() {
        let line = WindowWeighting.gaussianImportance(over: Extent3(depth: 1, height: 1, width: 16))
        #expect(line[8] == 10 && abs(line[7] - 8.82497) < 1e-4 && line[7] == line[9])
        #expect(abs(line[0] - 0.0033546) < 1e-6)
        let cube = WindowWeighting.gaussian.weights(over: 64)
        #expect(abs((cube.min() ?? 0) / 3.775e-10 - 1) < 1e-3 && cube.max() == 10)
    }

    @Test func whatTheCutLeavesAtZeroGetsTheSmallestWeight() {
        // A deviation of half a voxel reaches two voxels: the others get what those two have.
        let line = WindowWeighting.gaussianImportance(
            over: Extent3(depth: 1, height: 1, width: 9), sigmaShare: 0.5 / 9)
        #expect(line.allSatisfy { $0 > 0 } && line[0] == line[2] && line[2] < line[3])
    }

    private func image(_ extent: Extent3, channels: Int = 1) -> [Float] {
        var draws = Draws(seed: 5, purpose: "test")
        return (0..<channels * extent.volume).map { _ in Float(draws.normal()) }
    }

    /// A network that returns its input must give back the image, wherever windows overlap or are padded and whatever is
    /// mirrored.
    @Test(
        arguments: [
            Extent3(depth: 9, height: 14, width: 17), Extent3(depth: 5, height: 8, width: 3),
            Extent3(depth: 8, height: 8, width: 8),
        ], [[], [0, 1, 2], [1]])
    func theIdentityGivesBackTheImage(extent: Extent3, mirrored: [Int]) throws {
        for (weighting, batch) in [(WindowWeighting.uniform, 1), (.gaussian, 3)] {
            var window = SlidingWindow(patch: Extent3(depth: 8, height: 6, width: 7))
            (window.mirroredAxes, window.weighting, window.viewsPerBatch) = (mirrored, weighting, batch)
            let image = image(extent, channels: 2)
            let logits = try window.logits(of: image, extent: extent, by: [{ $0 }], classes: 2, on: cpu)
            #expect(zip(logits, image).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    @Test func aShortAxisIsPaddedAroundTheCentreTheSmallerHalfFirst() throws {
        var window = SlidingWindow(patch: Extent3(depth: 1, height: 1, width: 8))
        window.mirroredAxes = []
        var seen: [Float] = []
        _ = try window.logits(
            of: [1, 2, 3], extent: Extent3(depth: 1, height: 1, width: 3),
            by: [
                { patch in
                    seen = patch.scalars
                    return patch
                }
            ], classes: 1, on: cpu)
        #expect(seen == [0, 0, 1, 2, 3, 0, 0, 0])
    }

    /// A network that marks a place in its patch: the marks of mirrored views must land mirrored.
    @Test func mirroredViewsAreTurnedBack() throws {
        var window = SlidingWindow(patch: Extent3(depth: 2, height: 3, width: 4))
        window.mirroredAxes = [0, 2]
        let logits = try window.logits(
            of: [Float](repeating: 0, count: 24), extent: window.patch,
            by: [
                { patch in
                    var marked = [Float](repeating: 0, count: patch.shape.count)
                    for sample in 0..<patch.shape.samples { marked[sample * 24] = 4 }
                    return Tensor(marked, shape: patch.shape, on: patch.cpu)
                }
            ], classes: 1, on: cpu)
        // The corner (0, 0, 0) and its mirror images along depth and width, each in one of four views.
        let corners = [0, 3, 12, 15]
        #expect(logits.indices.allSatisfy { logits[$0] == (corners.contains($0) ? 1 : 0) })
    }

    @Test func membersOfAnEnsembleAreAveraged() throws {
        var window = SlidingWindow(patch: 4)
        window.mirroredAxes = []
        let extent = Extent3(depth: 5, height: 4, width: 6)
        let image = image(extent)
        let logits = try window.logits(
            of: image, extent: extent, by: [{ $0 }, { scale($0, by: 3) }], classes: 1, on: cpu)
        #expect(zip(logits, image).allSatisfy { abs($0 - 2 * $1) < 1e-5 })
    }

    @Test func resultsDoNotDependOnThreads() throws {
        let extent = Extent3(depth: 11, height: 9, width: 10)
        let image = image(extent)
        let results = try [1, 3].map { threads in
            try SlidingWindow(patch: 6).logits(
                of: image, extent: extent, by: [{ leakyReLU($0, slope: 0.3) }], classes: 1, on: CPU(threads: threads))
        }
        #expect(results[0] == results[1])
    }

    @Test func progressCanStopAPrediction() {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            _ = try SlidingWindow(patch: 4).logits(
                of: image(6), extent: 6, by: [{ $0 }], classes: 1, on: cpu,
                progress: { done, _ in if done > 8 { throw Stop() } })
        }
    }
}
