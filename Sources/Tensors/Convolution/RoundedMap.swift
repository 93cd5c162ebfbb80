/// A feature map in bfloat16: `[voxel][pair of channels]`, each pair in 32 bits, filled up with zeros to the kernels'
/// multiple. Hidden voxels are neither read nor written.
struct RoundedMap {
    let buffer: Buffer

    init(_ map: Tensor) {
        let (cpu, channels) = (map.cpu, map.shape.channels)
        let pairs = cpu.kernelSet.pairs(for: channels)
        let buffer = Buffer(count: map.shape.count / max(1, channels) * pairs, on: cpu)
        self.buffer = buffer
        let kernels = cpu.kernelSet.table.pointee
        let words = buffer.words
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
