import Tensors

/// Places of labeled voxels, some of each class, so that patches can be drawn around them.
public struct ForegroundVoxels: Sendable, Equatable {
    /// Some voxels of one class.
    public struct Class: Sendable, Equatable {
        /// The label, or the position of the region in its list.
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
    ///   - regions: for overlapping regions, the labels of each; nil if every label is a class of its own.
    public init(labels: [Int16], regions: [[Int16]]? = nil) {
        check(labels.count <= Int(Int32.max), "a volume of \(labels.count) voxels is too large")
        let present = Set(labels).filter { $0 > 0 }
        let groups = regions.map { Array($0.enumerated()) } ?? present.sorted().map { (offset: Int($0), element: [$0]) }
        self.init(
            classes: groups.map { label, members in
                var voxels: [Int32] = []
                for (index, voxel) in labels.enumerated() where voxel > 0 && members.contains(voxel) {
                    voxels.append(Int32(index))
                }
                var draws = Draws(seed: 1234, purpose: .foregroundVoxels, sample: label)
                let wanted = min(voxels.count, max(10_000, (voxels.count + 99) / 100))
                for index in 0..<(wanted < voxels.count ? wanted : 0) {
                    voxels.swapAt(index, draws.integer(in: index..<voxels.count))
                }
                return Class(label: label, voxels: Array(voxels.prefix(wanted)))
            })
    }
}

extension Draws.Purpose {
    static let foregroundVoxels: Self = "foreground-voxels"
}
