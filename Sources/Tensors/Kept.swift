/// A tensor that a backward pass will read, kept without its memory where the content can be had again at little cost:
/// from what made it (norms, activations, concatenations: see ``Tensor/remakable(_:)``), or from its visible voxels.
///
/// Reading gives the same bits as were there before.
struct Kept {
    let shape: Shape
    let visibility: BlockMask?
    let needsGradient: Bool
    private var content: Content

    private enum Content {
        case nothing
        case buffer(Buffer)
        case remake(Remake)
    }

    /// - Parameter isRead: whether the value will be asked for.
    init(_ tensor: Tensor, if isRead: Bool = true) {
        (shape, visibility, needsGradient) = (tensor.shape, tensor.visibility, tensor.needsGradient)
        guard isRead else {
            content = .nothing
            return
        }
        let buffer = tensor.buffer
        if buffer.remake == nil, let visible = VisibleVoxels(of: tensor) {
            buffer.remake = Remake(buffer) { visible.spread() }
        }
        content = buffer.remake.map(Content.remake) ?? .buffer(buffer)
    }

    /// The tensor for whoever reads it last: its memory is theirs alone, unless somebody else holds it.
    mutating func take() -> Tensor {
        defer { content = .nothing }
        guard case .remake(let remake) = content else { return value }
        return Tensor(shape: shape, buffer: remake.takeBuffer(), visibility: visibility)
    }

    /// The tensor, without the memory of how it was computed.
    var value: Tensor {
        switch content {
        case .nothing: fatalError("a tensor that was not kept")
        case .buffer(let buffer): Tensor(shape: shape, buffer: buffer, visibility: visibility)
        case .remake(let remake): Tensor(shape: shape, buffer: remake.buffer, visibility: visibility)
        }
    }
}

/// How the content of a buffer is had again.
final class Remake {
    private let make: () -> Tensor
    private weak var current: Buffer?

    init(_ buffer: Buffer, _ make: @escaping () -> Tensor) { (current, self.make) = (buffer, make) }

    /// The buffer while anybody holds it, else a new one.
    var buffer: Buffer {
        if let current { return current }
        let buffer = make().buffer
        buffer.remake = self
        current = buffer
        return buffer
    }

    /// The buffer while anybody holds it, else a new one that nobody will be given again.
    func takeBuffer() -> Buffer { current ?? make().buffer }
}

extension Tensor {
    /// This output of an operation, which costs little: backward passes may call `make` for the same content instead of
    /// keeping it. `make` must capture what it reads as ``Kept``, and nothing of this tensor.
    func remakable(_ make: @escaping () -> Tensor) -> Tensor {
        if needsGradient { buffer.remake = Remake(buffer, make) }
        return self
    }
}

/// The visible voxels of a masked map, one after another.
private struct VisibleVoxels {
    private let shape: Shape
    private let mask: BlockMask
    private let buffer: Buffer

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
        var first = 0
        let firsts = spans.pieces.map { piece in
            defer { first += piece.voxels }
            return first
        }
        cpu.parallel(spans.pieces.count) { piece in
            var offset = firsts[piece] * channels
            for span in spans.spans[spans.pieces[piece].spans] {
                let count = Int(span.count) * channels
                body(Int(span.start) * channels, offset, count)
                offset += count
            }
        }
    }
}
