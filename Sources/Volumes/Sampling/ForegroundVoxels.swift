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
        var counts = [Int](repeating: 0, count: Int(Int16.max) + 1)
        for label in labels where label > 0 { counts[Int(label)] += 1 }
        let present = counts.indices.filter { counts[$0] > 0 && ignored.map(Int.init) != $0 }
        self.init(
            classes: present.map { label in
                var voxels: [Int32] = []
                voxels.reserveCapacity(counts[label])
                for (index, voxel) in labels.enumerated() where Int(voxel) == label { voxels.append(Int32(index)) }
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
