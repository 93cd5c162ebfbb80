import Tensors

/// The ascending half of a U-Net, with its segmentation heads.
public protocol UNetDecoder: Module {
    /// The names of the parts of each layer, from the bottleneck on.
    var layers: [[String]] { get }
    /// The convolution that gives the logits of the highest resolution.
    var lastLayer: Conv3D { get }
    /// Logits, full resolution first.
    ///
    /// - Parameters:
    ///   - maps: of the encoder's stages, highest resolution first, dense. Whoever keeps none of them saves memory.
    ///   - outputs: how many heads to evaluate, from full resolution downwards.
    func callAsFunction(_ maps: consuming [Tensor], outputs: Int, in phase: Phase) -> [Tensor]
    /// The map that the last head sees; where there is a head at every level, of full resolution.
    ///
    /// - Parameter maps: of the encoder's stages, highest resolution first, dense.
    func finest(_ maps: consuming [Tensor], in phase: Phase) -> Tensor
}

/// A decoder that joins a skip connection at every level. Levels count from the bottleneck upwards.
public protocol LevelDecoder: UNetDecoder {
    /// The number of levels: one less than there are maps.
    var levels: Int { get }
    /// The map of a level from the one below and the skip connection, both dense.
    func joined(_ level: Int, _ below: consuming Tensor, _ skip: consuming Tensor, in phase: Phase) -> Tensor
    /// The logits of a level's map.
    func logits(_ level: Int, _ map: Tensor, in phase: Phase) -> Tensor
}

extension LevelDecoder {
    /// Logits of each level that has to be evaluated, full resolution first.
    public func callAsFunction(_ maps: consuming [Tensor], outputs: Int, in phase: Phase) -> [Tensor] {
        check((1...levels).contains(outputs), "a decoder of \(levels) levels has no \(outputs) outputs")
        var results: [Tensor] = []
        _ = ascend(maps, in: phase) { level, map in
            if level >= levels - outputs { results.insert(logits(level, map, in: phase), at: 0) }
        }
        return results
    }

    /// The map of full resolution, `[N, D, H, W, features[0]]`.
    public func finest(_ maps: consuming [Tensor], in phase: Phase) -> Tensor {
        ascend(maps, in: phase) { _, _ in }
    }

    /// The map of full resolution; calls `body` with that of each level. A map is let go as soon as it is joined.
    private func ascend(
        _ maps: consuming [Tensor], in phase: Phase, _ body: (_ level: Int, _ map: Tensor) -> Void
    ) -> Tensor {
        var maps = maps
        check(maps.count == levels + 1, "a decoder of \(levels) levels got \(maps.count) maps")
        var below = maps.removeLast()
        for level in 0..<levels {
            below = joined(level, consume below, maps.removeLast(), in: phase)
            body(level, below)
        }
        return below
    }
}
