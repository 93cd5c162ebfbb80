/// The visible voxels of a masked map, one after another.
struct VisibleVoxels {
    let shape: Shape
    let mask: BlockMask
    let buffer: Buffer

    /// `nil` where nothing is hidden.
    init?(of map: Tensor) {
        guard let mask = map.visibility, mask.visible.contains(false) else { return nil }
        (shape, self.mask) = (map.shape, mask)
        let spans = Spans(of: map)
        buffer = Buffer(count: spans.pieces.reduce(0) { $0 + $1.voxels } * shape.channels, on: map.cpu)
        let packed = buffer.pointer
        Self.forEachStretch(spans, shape.channels, map.cpu) { place, offset, count in
            (packed + offset).update(from: map.pointer + place, count: count)
        }
    }

    /// The map.
    func spread() -> Tensor {
        let map = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: buffer.cpu), visibility: mask)
        Self.forEachStretch(Spans(of: map), shape.channels, map.cpu) { place, offset, count in
            (map.pointer + place).update(from: buffer.pointer + offset, count: count)
        }
        return map
    }

    /// Calls `body` with each visible stretch's place in the map, its place among the visible voxels, and its length, all in
    /// elements.
    private static func forEachStretch(
        _ spans: Spans, _ channels: Int, _ cpu: CPU, _ body: (_ place: Int, _ offset: Int, _ count: Int) -> Void
    ) {
        cpu.parallel(spans.pieces.count) { piece in
            var offset = spans.pieces[piece].first * channels
            for span in spans.spans[spans.pieces[piece].spans] {
                let count = Int(span.count) * channels
                body(Int(span.start) * channels, offset, count)
                offset += count
            }
        }
    }
}

/// A map for whoever reads it voxel by voxel: as it lies in memory, or only its visible voxels, one after another.
struct MapVoxels {
    let shape: Shape
    let visibility: BlockMask?
    private var buffer: Buffer
    /// Whether there is nothing between visible voxels.
    let isPacked: Bool
    var cpu: CPU { buffer.cpu }

    init(_ map: Tensor) {
        (shape, visibility, buffer, isPacked) = (map.shape, map.visibility, map.buffer, false)
    }

    init(_ visible: VisibleVoxels) {
        (shape, visibility, buffer, isPacked) = (visible.shape, visible.mask, visible.buffer, true)
    }

    /// Where the map begins, or if it ``isPacked`` the voxels of a piece of its own `spans`.
    func pointer(piece: Int, of spans: Spans) -> UnsafePointer<Float> {
        UnsafePointer(buffer.pointer + (isPacked ? spans.pieces[piece].first * shape.channels : 0))
    }

    /// The map, if its memory is free for something else because nobody else holds it.
    mutating func freeMap() -> Tensor? {
        guard !isPacked, isKnownUniquelyReferenced(&buffer), buffer.remake == nil else { return nil }
        return Tensor(shape: shape, buffer: buffer, visibility: visibility)
    }

    /// A map like this one, without values yet.
    func emptyMap() -> Tensor {
        Tensor(shape: shape, buffer: Buffer(count: shape.count, on: cpu), visibility: visibility)
    }
}
