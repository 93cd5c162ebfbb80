import CKernels

/// The voxels of a batch of feature maps that an operation must visit, cut into pieces of bounded size.
///
/// The pieces depend on the map and its mask only, never on the number of threads, so that sums over pieces, taken in
/// order, are the same bits everywhere.
struct Spans {
    /// Stretches of consecutive voxels in linear order.
    private(set) var spans: [ws_span] = []
    /// For each piece: its spans, how many voxels come before it, how many it has, and its sample.
    private(set) var pieces: [(spans: Range<Int>, first: Int, voxels: Int, sample: Int)] = []

    /// The visible (or, with `hidden`, the hidden) voxels of a map, in pieces of about `pieceVoxels`.
    init(samples: Int, extent: Extent3, mask: BlockMask?, hidden: Bool = false, pieceVoxels: Int) {
        for sample in 0..<samples {
            if let mask {
                appendMasked(mask, extent, sample, wanted: !hidden, pieceVoxels)
            } else if !hidden {
                appendStretch(start: sample * extent.volume, count: extent.volume, sample, pieceVoxels)
            }
        }
    }

    /// The visible voxels of a feature map, in pieces that fit the first-level caches together with their results.
    init(of tensor: Tensor) {
        self.init(
            samples: tensor.shape.samples, extent: tensor.shape.extent, mask: tensor.visibility,
            pieceVoxels: max(16, 8192 / max(1, tensor.shape.channels)))
    }

    private mutating func appendMasked(
        _ mask: BlockMask, _ extent: Extent3, _ sample: Int, wanted: Bool, _ pieceVoxels: Int
    ) {
        guard let cell = mask.cell(in: extent) else { fatalError("extent \(extent) is no multiple of \(mask.grid)") }
        for depth in 0..<extent.depth {
            for height in 0..<extent.height {
                let row = extent.row(sample, depth, height)
                var width = 0
                while width < mask.grid.width {
                    let first = width
                    while width < mask.grid.width,
                        mask.isVisible(
                            sample: sample, depth: depth / cell.depth, height: height / cell.height, width: width)
                            == wanted
                    { width += 1 }
                    if width > first {
                        appendStretch(
                            start: row + first * cell.width, count: (width - first) * cell.width, sample, pieceVoxels)
                    }
                    width += 1
                }
            }
        }
    }

    private mutating func appendStretch(start: Int, count: Int, _ sample: Int, _ pieceVoxels: Int) {
        var (start, count) = (start, count)
        while count > 0 {
            let room = pieces.last.map { $0.sample == sample ? pieceVoxels - $0.voxels : 0 } ?? 0
            if room <= 0 {
                let first = pieces.last.map { $0.first + $0.voxels } ?? 0
                pieces.append((spans.count..<spans.count, first, 0, sample))
                continue
            }
            let now = min(room, count)
            spans.append(ws_span(start: Int64(start), count: Int64(now)))
            let last = pieces.count - 1
            pieces[last].spans = pieces[last].spans.lowerBound..<spans.count
            pieces[last].voxels += now
            (start, count) = (start + now, count - now)
        }
    }
}

extension Tensor {
    /// Calls `body` in parallel with stretches of elements that together are all visible ones.
    func forEachStretch(_ body: (Range<Int>) -> Void) {
        guard visibility != nil else { return cpu.parallelStretches(shape.count, body) }
        let (spans, channels) = (Spans(of: self), shape.channels)
        cpu.parallel(spans.pieces.count) { piece in
            for span in spans.spans[spans.pieces[piece].spans] {
                body((Int(span.start) * channels)..<(Int(span.start + span.count) * channels))
            }
        }
    }

    /// Writes zeros into the hidden voxels, whose memory may hold anything: for whoever reads the map as a whole.
    func clearHidden() {
        guard let mask = visibility else { return }
        let channels = shape.channels
        let hidden = Spans(
            samples: shape.samples, extent: shape.extent, mask: mask, hidden: true,
            pieceVoxels: max(64, 1 << 16 / channels))
        cpu.parallel(hidden.pieces.count) { piece in
            for span in hidden.spans[hidden.pieces[piece].spans] {
                (pointer + Int(span.start) * channels).update(repeating: 0, count: Int(span.count) * channels)
            }
        }
    }
}
