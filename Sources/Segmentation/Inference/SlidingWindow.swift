import Tensors

/// Predicts a volume of any size by windows of the size the network was trained on.
///
/// Windows overlap and are laid evenly; each is seen once per combination of mirrored axes; the logits of all are averaged
/// with ``weighting``. After nnU-Net (Isensee et al. 2021), except that sums are kept in float32: its float16 loses the
/// volume's corners.
public struct SlidingWindow: Sendable, Hashable, Codable {
    /// The size of a window.
    public var patch: Extent3
    /// The largest distance between neighbouring windows, as a share of the window, in `0...1` without 0.
    public var step = 0.5
    /// The axes (0 depth, 1 height, 2 width) along which windows are mirrored as well; each doubles the work.
    public var mirroredAxes: [Int] = [0, 1, 2]
    /// Which orientations of a window are seen; nil for mirrorings.
    public var views: TestTimeViews?
    /// How much the voxels of a window count.
    public var weighting = WindowWeighting.gaussian
    /// Windows, mirrored ones counted singly, that go through the network together.
    public var viewsPerBatch = 1

    /// Windows of size `patch`, with nnU-Net's settings.
    public init(patch: Extent3) { self.patch = patch }

    /// The first voxel of each window along one axis: as few windows as the step allows, evenly spread.
    ///
    /// An image that is shorter than the window has one window, at 0.
    public static func starts(length: Int, window: Int, step: Double) -> [Int] {
        check(step > 0 && step <= 1 && window > 0, "windows of \(window) voxels with a step of \(step)")
        guard length > window else { return [0] }
        let windows = Int((Double(length - window) / (Double(window) * step)).rounded(.up)) + 1
        let distance = Double(length - window) / Double(windows - 1)
        return (0..<windows).map { Int((distance * Double($0)).rounded(.toNearestOrEven)) }
    }

    /// The orientations in which each window is seen.
    var orientations: [Orientation] { (views ?? .mirrorings).orientations(of: patch, mirroredAxes: mirroredAxes) }

    /// All views of a volume, window by window.
    ///
    /// Along an axis that is shorter than the window, the volume lies in the window's middle, the smaller half of the
    /// margin before it: the window then starts at a negative index.
    /// - Parameter orientations: all that the settings name unless given.
    func views(of extent: Extent3, orientations: [Orientation]? = nil) -> [WindowView] {
        let starts = (0..<3).map { axis in
            Self.starts(length: extent[axis], window: patch[axis], step: step)
                .map { $0 - max(0, patch[axis] - extent[axis]) / 2 }
        }
        let orientations = orientations ?? self.orientations
        return starts[0].flatMap { depth in
            starts[1].flatMap { height in
                starts[2].flatMap { width in
                    orientations.map {
                        WindowView(
                            origin: Extent3(depth: depth, height: height, width: width), window: patch, orientation: $0)
                    }
                }
            }
        }
    }
}
