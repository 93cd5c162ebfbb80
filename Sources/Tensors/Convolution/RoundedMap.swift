/// A feature map in bfloat16: `[voxel][pair of channels]`, each pair in 32 bits, filled up with zeros to the kernels'
/// multiple.
struct RoundedMap {
    let buffer: Buffer

    init(_ map: Tensor) {
        let (cpu, channels) = (map.cpu, map.shape.channels)
        let pairs = cpu.kernelSet.pairs(for: channels)
        let buffer = Buffer(count: map.shape.count / max(1, channels) * pairs, on: cpu)
        self.buffer = buffer
        let kernels = cpu.kernelSet.table.pointee
        let words = buffer.words
        // Hidden voxels are zero: they are written, not read.
        if let mask = map.visibility {
            let hidden = Spans(
                samples: map.shape.samples, extent: map.shape.extent, mask: mask, hidden: true,
                pieceVoxels: max(64, 1 << 16 / channels))
            cpu.parallel(hidden.pieces.count) { piece in
                for span in hidden.spans[hidden.pieces[piece].spans] {
                    (words + Int(span.start) * pairs).update(repeating: 0, count: Int(span.count) * pairs)
                }
            }
        }
        let visible = Spans(of: map)
        cpu.parallel(visible.pieces.count) { piece in
            for span in visible.spans[visible.pieces[piece].spans] {
                let (source, target) = (map.pointer + Int(span.start) * channels, words + Int(span.start) * pairs)
                guard pairs > (channels + 1) / 2 else {
                    kernels.round_rows(source, span.count, Int32(channels), target)
                    continue
                }
                target.update(repeating: 0, count: Int(span.count) * pairs)
                for voxel in 0..<Int(span.count) {
                    kernels.round_rows(source + voxel * channels, 1, Int32(channels), target + voxel * pairs)
                }
            }
        }
    }
}

extension Buffer {
    /// The storage as 32-bit words, for pairs of bfloat16 numbers.
    var words: UnsafeMutablePointer<UInt32> {
        UnsafeMutableRawPointer(pointer).bindMemory(to: UInt32.self, capacity: count)
    }
}
