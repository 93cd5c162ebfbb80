import Tensors

/// What the network gets to see of a volume at once: a window at a place, perhaps mirrored or turned.
struct WindowView: Sendable {
    /// The voxel of the volume that the window begins with; negative where the volume is padded.
    var origin: Extent3
    /// The size of the window.
    var window: Extent3
    /// How the view is turned.
    var orientation: Orientation

    /// Voxels in a row that the window shares with the volume: offsets of the first one in three `[D, H, W]` arrays. They
    /// follow each other in the volume and in the window, and lie evenly spaced in the view.
    struct Row {
        var inVolume, inWindow, inView: Int
        var count: Int
        /// From one voxel to the next in the view: 1, or -1 where the width is mirrored, or a row's length where it is
        /// turned.
        var viewStep: Int
    }

    /// Calls `body` for every row, slices in parallel.
    func forEachRow(ofVolume extent: Extent3, on cpu: CPU, _ body: @Sendable (Row) -> Void) {
        let shared = (0..<3).map { max(0, -origin[$0])..<min(window[$0], extent[$0] - origin[$0]) }
        let (viewOrigin, viewSteps) = orientation.strides(in: window)
        @Sendable func offset(_ depth: Int, _ height: Int, _ width: Int, in extent: Extent3) -> Int {
            (depth * extent.height + height) * extent.width + width
        }
        cpu.forEach(shared[0].count) { slice in
            let (depth, width) = (shared[0].lowerBound + slice, shared[2].lowerBound)
            for height in shared[1] {
                body(
                    Row(
                        inVolume: offset(
                            origin.depth + depth, origin.height + height, origin.width + width, in: extent),
                        inWindow: offset(depth, height, width, in: window),
                        inView: viewOrigin + depth * viewSteps[0] + height * viewSteps[1] + width * viewSteps[2],
                        count: shared[2].count, viewStep: viewSteps[2]))
            }
        }
    }
}
