import Tensors

/// A block of voxels on its way to the network: intensities and, if there are any, the classes to learn.
public struct Patch: Sendable, Equatable {
    /// The intensities, `[C, D, H, W]`.
    public var image: [Float]
    /// The number of channels.
    public var channels: Int
    /// The class of each voxel, `[D, H, W]`; -1 is outside the image.
    public var labels: [Int16]?
    /// The number of voxels along depth, height and width.
    public var extent: Extent3

    /// A patch of these voxels.
    public init(image: [Float], channels: Int, labels: [Int16]?, extent: Extent3) {
        check(
            image.count == channels * extent.volume && (labels?.count ?? extent.volume) == extent.volume,
            "a patch of \(channels) channels and \(extent) voxels got \(image.count) values and \(labels?.count ?? 0) labels"
        )
        (self.image, self.channels, self.labels, self.extent) = (image, channels, labels, extent)
    }

    /// An empty patch: image 0, label -1 everywhere.
    public init(paddingOf extent: Extent3, channels: Int, isLabeled: Bool) {
        self.init(
            image: [Float](repeating: 0, count: channels * extent.volume), channels: channels,
            labels: isLabeled ? [Int16](repeating: Patch.outsideLabel, count: extent.volume) : nil, extent: extent)
    }

    /// The label of voxels outside the image, and of those that preprocessing found outside the body.
    public static let outsideLabel: Int16 = -1

    /// Calls `body` with the voxels of one channel, `[D, H, W]`.
    public mutating func withChannel<Result>(
        _ channel: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        check((0..<channels).contains(channel), "channel \(channel) of a patch with \(channels)")
        let voxels = extent.volume
        return try image.withUnsafeMutableBufferPointer {
            try body(UnsafeMutableBufferPointer(rebasing: $0[channel * voxels..<(channel + 1) * voxels]))
        }
    }
}

/// Something that patches can be cut from: a case of a preprocessed store, or a volume in memory.
public protocol VoxelSource {
    /// The number of voxels along depth, height and width.
    var extent: Extent3 { get }
    /// The number of channels.
    var channels: Int { get }
    /// Whether the voxels have labels.
    var isLabeled: Bool { get }
    /// The voxels in `box`, which may reach beyond the source: there the image is 0 and the label -1.
    func patch(in box: VoxelBox) throws -> Patch
}

extension Patch: VoxelSource {
    /// Whether there are labels.
    public var isLabeled: Bool { labels != nil }

    /// The voxels in `box`; image 0 and label -1 beyond this patch.
    public func patch(in box: VoxelBox) -> Patch {
        if box == VoxelBox(whole: extent) { return self }
        var result = Patch(paddingOf: box.extent, channels: channels, isLabeled: isLabeled)
        let whole = VoxelBox(whole: extent)
        image.withUnsafeBufferPointer { source in
            result.image.withUnsafeMutableBufferPointer { target in
                whole.copy(source, to: target, in: box, volumes: channels)
            }
        }
        labels?.withUnsafeBufferPointer { source in
            result.labels?.withUnsafeMutableBufferPointer { target in
                whole.copy(source, to: target, in: box, volumes: 1)
            }
        }
        return result
    }
}

extension VoxelBox {
    /// The box of `extent` voxels whose first voxel is `origin` (depth, height, width).
    public init(origin: [Int], extent: Extent3) {
        check(origin.count == 3, "a box starts at a depth, a height and a width, got \(origin)")
        self.init(
            depth: origin[0]..<origin[0] + extent.depth, height: origin[1]..<origin[1] + extent.height,
            width: origin[2]..<origin[2] + extent.width)
    }

    /// The first voxel: depth, height, width.
    public var origin: [Int] { [depth.lowerBound, height.lowerBound, width.lowerBound] }

    /// The voxels in both boxes.
    public func intersection(_ other: VoxelBox) -> VoxelBox {
        VoxelBox(
            depth: depth.clamped(to: other.depth), height: height.clamped(to: other.height),
            width: width.clamped(to: other.width))
    }

    /// The same voxels as ``origin`` of `other` is the first one.
    func relative(to other: VoxelBox) -> VoxelBox {
        VoxelBox(origin: zip(origin, other.origin).map { $0 - $1 }, extent: extent)
    }

    /// The box in the middle of this one; where the difference is odd, after the rounding of nnU-Net's centre crop.
    public func centered(_ extent: Extent3) -> VoxelBox {
        VoxelBox(
            origin: (0..<3).map { self[$0].lowerBound + self[$0].count / 2 - extent[$0] / 2 }, extent: extent)
    }

    /// Copies what lies in both boxes from an array `[volumes, D, H, W]` of this box to one of `target`.
    /// - Parameter limit: nothing beyond this box is copied.
    func copy<Element>(
        _ source: UnsafeBufferPointer<Element>, to destination: UnsafeMutableBufferPointer<Element>,
        in target: VoxelBox,
        within limit: VoxelBox? = nil, volumes: Int
    ) {
        let shared = intersection(target).intersection(limit ?? self)
        guard shared.extent.volume > 0, let from = source.baseAddress, let to = destination.baseAddress else { return }
        for volume in 0..<volumes {
            for depth in shared.depth {
                for height in shared.height {
                    let place = (depth, height, shared.width.lowerBound)
                    (to + target.offset(of: place, volume: volume)).update(
                        from: from + offset(of: place, volume: volume), count: shared.width.count)
                }
            }
        }
    }

    private func offset(of place: (depth: Int, height: Int, width: Int), volume: Int) -> Int {
        let slice = volume * depth.count + place.depth - depth.lowerBound
        return (slice * height.count + place.height - height.lowerBound) * width.count + place.width - width.lowerBound
    }
}
