/// A tensor that a backward pass will read, kept without its memory where the content can be had again at little cost:
/// from what made it (norms, activations, concatenations: see ``Tensor/remakable(_:)``), or from its visible voxels.
///
/// Reading gives the same bits as were there before.
struct Kept {
    let shape: Shape
    let visibility: BlockMask?
    let filling: Filling?
    let needsGradient: Bool
    private var content: Content

    private enum Content {
        case nothing
        case buffer(Buffer)
        case remake(Remake)
    }

    /// - Parameter isRead: whether the value will be asked for.
    init(_ tensor: Tensor, if isRead: Bool = true) {
        (shape, visibility, filling) = (tensor.shape, tensor.visibility, tensor.filling)
        needsGradient = tensor.needsGradient
        guard isRead else {
            content = .nothing
            return
        }
        let buffer = tensor.buffer
        if buffer.remake == nil, let visible = VisibleVoxels(of: tensor) {
            buffer.remake = Remake(buffer, visible)
        }
        content = buffer.remake.map(Content.remake) ?? .buffer(buffer)
    }

    /// The tensor for whoever reads it last: its memory is theirs alone, unless somebody else holds it.
    mutating func take() -> Tensor {
        defer { content = .nothing }
        guard case .remake(let remake) = content else { return value }
        return Tensor(shape: shape, buffer: remake.takeBuffer(), visibility: visibility, filling: filling)
    }

    /// ``take()`` for whoever goes from voxel to voxel.
    mutating func takeVoxels() -> MapVoxels {
        guard case .remake(let remake) = content, let visible = remake.visible else { return MapVoxels(take()) }
        content = .nothing
        return MapVoxels(visible)
    }

    /// ``value`` for whoever goes from voxel to voxel.
    var voxels: MapVoxels {
        guard case .remake(let remake) = content, let visible = remake.visible else { return MapVoxels(value) }
        return MapVoxels(visible)
    }

    /// The tensor, without the memory of how it was computed.
    var value: Tensor {
        switch content {
        case .nothing: fatalError("a tensor that was not kept")
        case .buffer(let buffer): Tensor(shape: shape, buffer: buffer, visibility: visibility, filling: filling)
        case .remake(let remake):
            Tensor(shape: shape, buffer: remake.buffer, visibility: visibility, filling: filling)
        }
    }
}

/// How the content of a buffer is had again.
final class Remake {
    private let make: () -> Tensor
    private weak var current: Buffer?
    /// What is kept of a map.
    let visible: VisibleVoxels?

    init(_ buffer: Buffer, _ make: @escaping () -> Tensor) { (current, self.make, visible) = (buffer, make, nil) }

    init(_ buffer: Buffer, _ visible: VisibleVoxels) {
        (current, make, self.visible) = (buffer, { visible.spread() }, visible)
    }

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
