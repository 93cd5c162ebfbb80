import Segmentation
import Tensors
import Testing

struct TestTimeViewsTests {
    private let cpu = CPU(threads: 2)

    private func image(_ extent: Extent3) -> [Float] {
        var draws = Draws(seed: 5, purpose: "test")
        return (0..<2 * extent.volume).map { _ in Float(draws.normal()) }
    }

    /// A network that returns its input must give back the image from every view: each is turned back.
    @Test(arguments: [
        Extent3(depth: 8, height: 6, width: 6), Extent3(depth: 1, height: 6, width: 6),
        Extent3(depth: 4, height: 6, width: 5),
    ])
    func everyViewIsTurnedBack(patch: Extent3) throws {
        var window = SlidingWindow(patch: patch)
        window.views = .survey
        for extent in [Extent3(depth: 9, height: 14, width: 17), Extent3(depth: 3, height: 4, width: 5)] {
            let image = image(extent)
            let logits = try window.logits(of: image, extent: extent, by: [{ $0 }], classes: 2, on: cpu)
            #expect(zip(logits, image).allSatisfy { abs($0 - $1) < 1e-5 })
        }
    }

    /// What the network is shown, for a window of numbered voxels.
    @Test func theSurveysSevenViews() throws {
        let extent = Extent3(depth: 2, height: 2, width: 2)
        var window = SlidingWindow(patch: extent)
        (window.views, window.weighting) = (.survey, .uniform)
        var seen: [[Float]] = []
        _ = try window.logits(
            of: [0, 1, 2, 3, 4, 5, 6, 7], extent: extent,
            by: [
                { patch in
                    seen.append(patch.scalars)
                    return patch
                }
            ], classes: 1, on: cpu)
        #expect(
            seen == [
                [0, 1, 2, 3, 4, 5, 6, 7],  // as it is
                [4, 5, 6, 7, 0, 1, 2, 3], [2, 3, 0, 1, 6, 7, 4, 5], [1, 0, 3, 2, 5, 4, 7, 6],  // mirrored
                [1, 3, 0, 2, 5, 7, 4, 6], [3, 2, 1, 0, 7, 6, 5, 4], [2, 0, 3, 1, 6, 4, 7, 5],  // turned
            ])
    }
}
