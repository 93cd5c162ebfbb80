import Networks
import Segmentation
import Tensors
import WeightFiles

/// Operations of the oracle's sets that the room `Segmentation` answers.
enum SegmentationOps {
    static let operations: [String: OracleOperation] = [
        "gaussian_importance": { oracle in
            let tile = try oracle.params.ints("tile")
            let weights = WindowWeighting.gaussianImportance(
                over: Extent3(dimensions: tile), sigmaShare: try oracle.params.double("sigma_scale"),
                peak: try oracle.params.double("scaling"))
            return OracleResults(outputs: ["output": StoredTensor(weights, shape: tile)])
        },
        "sliding_window_steps": { oracle in
            let (image, tile) = try (oracle.params.ints("image"), oracle.params.ints("tile"))
            let step = try oracle.params.double("step")
            var results = OracleResults()
            for (axis, name) in ["depth", "height", "width"].enumerated() {
                let starts = SlidingWindow.starts(length: image[axis], window: tile[axis], step: step)
                results.outputs[name] = StoredTensor(starts.map { Int32($0) }, shape: [starts.count])
            }
            return results
        },
        "sliding_window": slidingWindow,
    ]

    private static func slidingWindow(_ oracle: OracleCase) throws -> OracleResults {
        var plan = try oracle.networkPlan()
        plan.architecture = .plain
        let network = try UNet(plan, on: .oracle)
        try network.load(oracle.weightsFile())
        var window = SlidingWindow(patch: Extent3(dimensions: try oracle.params.ints("patch")))
        window.step = try oracle.params.double("step")
        window.mirroredAxes = try oracle.params.ints("mirror_axes")
        window.weighting = try oracle.params.bool("gaussian") ? .gaussian : .uniform
        window.viewsPerBatch = 3
        let image = try oracle.input("input")
        let extent = Extent3(dimensions: Array(image.shape[1...]))
        let logits = try window.logits(
            of: image.floats(), extent: extent, by: [{ network($0, outputs: 1, in: .inference)[0] }],
            classes: plan.outputChannels, on: .oracle)
        return OracleResults(outputs: [
            "output": StoredTensor(logits, shape: [plan.outputChannels] + extent.dimensions)
        ])
    }
}
