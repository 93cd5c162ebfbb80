import CKernels

/// The voxels that a convolution computes, as stretches of rows, grouped into chunks that a kernel takes at once.
struct PixelChunks {
    private(set) var runs: [ws_run] = []
    /// The runs of each chunk.
    private(set) var chunks: [Range<Int>] = []
    /// The voxels of all chunks.
    private(set) var pixels = 0
    private let limit: Int
    private var pixelsInLast = 0

    /// The visible voxels of a batch of maps.
    ///
    /// - Parameter phases: voxels whose coordinates agree modulo this stand together. A transposed convolution gives its
    ///   stride here, so that the pixels of a tile see the same taps.
    /// - Parameter limit: the most pixels of a chunk.
    init(samples: Int, extent: Extent3, mask: BlockMask?, phases: Extent3, limit: Int = Int(WS_CHUNK)) {
        self.limit = limit
        for sample in 0..<samples {
            for phase in 0..<phases.volume {
                let first = Extent3(
                    depth: phase / (phases.height * phases.width), height: phase / phases.width % phases.height,
                    width: phase % phases.width)
                for depth in stride(from: first.depth, to: extent.depth, by: phases.depth) {
                    for height in stride(from: first.height, to: extent.height, by: phases.height) {
                        for range in Self.visibleWidths(mask, extent, sample, depth, height) {
                            let ahead = (first.width - range.lowerBound) % phases.width
                            let width = range.lowerBound + (ahead + phases.width) % phases.width
                            let count = (range.upperBound - width + phases.width - 1) / phases.width
                            append(sample, depth, height, width, count, phases.width)
                        }
                    }
                }
            }
        }
    }

    /// The voxels of a batch of maps that lie in some stretches of each row. No chunk has voxels of two samples.
    init(
        samples: Int, extent: Extent3, limit: Int,
        stretches: (_ sample: Int, _ depth: Int, _ height: Int) -> [Range<Int>]
    ) {
        self.limit = limit
        for sample in 0..<samples {
            pixelsInLast = limit
            for depth in 0..<extent.depth {
                for height in 0..<extent.height {
                    for range in stretches(sample, depth, height) {
                        append(sample, depth, height, range.lowerBound, range.count, 1)
                    }
                }
            }
        }
    }

    private static func visibleWidths(
        _ mask: BlockMask?, _ extent: Extent3, _ sample: Int, _ depth: Int, _ height: Int
    ) -> [Range<Int>] {
        guard let mask else { return [0..<extent.width] }
        guard let cell = mask.cell(in: extent) else { fatalError("extent \(extent) is no multiple of \(mask.grid)") }
        var ranges: [Range<Int>] = []
        for index in 0..<mask.grid.width
        where mask.isVisible(sample: sample, depth: depth / cell.depth, height: height / cell.height, width: index) {
            let start = index * cell.width
            if let last = ranges.last, last.upperBound == start {
                ranges[ranges.count - 1] = last.lowerBound..<(start + cell.width)
            } else {
                ranges.append(start..<(start + cell.width))
            }
        }
        return ranges
    }

    private mutating func append(_ sample: Int, _ depth: Int, _ height: Int, _ width: Int, _ count: Int, _ step: Int) {
        var (width, count) = (width, count)
        while count > 0 {
            if chunks.isEmpty || pixelsInLast == limit {
                chunks.append(runs.count..<runs.count)
                pixelsInLast = 0
            }
            let now = min(count, limit - pixelsInLast)
            runs.append(
                ws_run(
                    sample: Int32(sample), depth: Int32(depth), height: Int32(height), width: Int32(width),
                    count: Int32(now), step: Int32(step)))
            chunks[chunks.count - 1] = chunks[chunks.count - 1].lowerBound..<runs.count
            pixelsInLast += now
            pixels += now
            (width, count) = (width + now * step, count - now)
        }
    }
}
