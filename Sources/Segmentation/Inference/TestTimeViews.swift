import Tensors

/// In which orientations a network sees a window before its answers are averaged.
public enum TestTimeViews: String, Sendable, Hashable, Codable, CaseIterable {
    /// Every combination of mirrored axes, as nnU-Net does; logits are averaged.
    case mirrorings
    /// As it is, mirrored along each axis alone, and turned in plane by 90, 180 and 270 degrees: the MedISeg survey's
    /// seven; probabilities are averaged. Oblong windows are turned by 180 degrees only.
    case survey

    /// The orientations of a window.
    /// - Parameter mirroredAxes: those that mirrorings combine.
    func orientations(of window: Extent3, mirroredAxes: [Int]) -> [Orientation] {
        switch self {
        case .mirrorings:
            return mirroredAxes.reduce([Orientation()]) { subsets, axis in
                subsets
                    + subsets.map { subset in
                        var mirrored = subset
                        mirrored.isMirrored[axis] = true
                        return mirrored
                    }
            }
        case .survey:
            let flips = (0..<3).filter { window[$0] > 1 }.map { axis in
                Orientation(isMirrored: (0..<3).map { $0 == axis })
            }
            let turns = [[false, true, false], [false, true, true], [false, false, true]].enumerated().map {
                Orientation(isMirrored: $0.element, swapsPlane: $0.offset != 1)
            }
            return [Orientation()] + flips + turns.filter { !$0.swapsPlane || window.height == window.width }
        }
    }
}

/// How a view of a window is turned: each axis of the view runs along one of the window, forwards or backwards.
struct Orientation: Sendable, Hashable {
    /// Whether each axis of the view (depth, height, width) runs backwards.
    var isMirrored = [false, false, false]
    /// Whether the view's height runs along the window's width and the other way round.
    var swapsPlane = false

    /// Where the voxels of a window lie in the view: the first one's place, and how far a step along each axis of the
    /// window leads. Both have the window's size.
    func strides(in window: Extent3) -> (origin: Int, steps: [Int]) {
        let viewSteps = [window.height * window.width, window.width, 1]
        var (origin, steps) = (0, [0, 0, 0])
        for axis in 0..<3 {
            let source = swapsPlane && axis > 0 ? 3 - axis : axis
            steps[source] = isMirrored[axis] ? -viewSteps[axis] : viewSteps[axis]
            origin += isMirrored[axis] ? (window[axis] - 1) * viewSteps[axis] : 0
        }
        return (origin, steps)
    }
}
