import Tensors

/// Places of labeled voxels, some of each class, so that patches can be drawn around them.
public struct ForegroundVoxels: Sendable, Equatable {
    /// Some voxels of one class.
    public struct Class: Sendable, Equatable {
        /// The label.
        public var label: Int
        /// Positions in the array `[D, H, W]`.
        public var voxels: [Int32]

        /// Voxels of one class.
        public init(label: Int, voxels: [Int32]) {
            (self.label, self.voxels) = (label, voxels)
        }
    }

    /// The classes that occur, ascending; none without voxels.
    public var classes: [Class]

    /// Given voxels.
    public init(classes: [Class]) { self.classes = classes.filter { !$0.voxels.isEmpty } }

    /// Draws voxels of each class without replacement: all of them up to 10 000, else 10 000 or one in a hundred, whichever
    /// is more.
    ///
    /// - Parameters:
    ///   - labels: classes `[D, H, W]`; those above 0 are foreground.
    ///   - ignored: a label that is not.
    public init(labels: [Int16], ignoring ignored: Int16? = nil) {
        check(labels.count <= Int(Int32.max), "a volume of \(labels.count) voxels is too large")
        var places: [Int16: [Int32]] = [:]
        for (index, label) in labels.enumerated() where label > 0 && label != ignored {
            places[label, default: []].append(Int32(index))
        }
        self.init(
            classes: places.sorted { $0.key < $1.key }.map { label, voxels in
                var voxels = voxels
                var draws = Draws(seed: 1234, purpose: .foregroundVoxels, sample: Int(label))
                let wanted = min(voxels.count, max(10_000, (voxels.count + 99) / 100))
                for index in 0..<(wanted < voxels.count ? wanted : 0) {
                    voxels.swapAt(index, draws.integer(in: index..<voxels.count))
                }
                return Class(label: Int(label), voxels: Array(voxels.prefix(wanted)))
            })
    }
}

extension Draws.Purpose {
    static let foregroundVoxels: Self = "foreground-voxels"
}
