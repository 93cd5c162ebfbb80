import Tensors

/// The voxels of one structure: 1 inside, 0 outside, `[D, H, W]`.
public struct BinaryMask: Sendable, Hashable {
    /// Voxels along each axis.
    public let extent: Extent3
    /// One byte per voxel.
    public let voxels: [UInt8]

    /// A mask from its voxels; everything but 0 is inside.
    public init(extent: Extent3, voxels: [UInt8]) {
        check(voxels.count == extent.volume, "\(extent) voxels need \(extent.volume) bytes, got \(voxels.count)")
        (self.extent, self.voxels) = (extent, voxels.map { $0 == 0 ? 0 : 1 })
    }

    /// A mask whose rows are filled, in parallel, with zeros and ones.
    init(
        extent: Extent3, on cpu: CPU,
        _ fill: (_ row: UnsafeMutableBufferPointer<UInt8>, _ depth: Int, _ height: Int) -> Void
    ) {
        self.extent = extent
        voxels = [UInt8](unsafeUninitializedCapacity: extent.volume) { memory, count in
            nonisolated(unsafe) let (memory, fill) = (memory, fill)
            cpu.forEach(extent.depth) { depth in
                for height in 0..<extent.height {
                    let start = (depth * extent.height + height) * extent.width
                    fill(UnsafeMutableBufferPointer(rebasing: memory[start..<start + extent.width]), depth, height)
                }
            }
            count = extent.volume
        }
    }

    /// Whether no voxel is inside.
    public var isEmpty: Bool { !voxels.contains(1) }
}
