import Foundation

/// Memory that is handed out, taken back and handed out again, so that a steady training step allocates nothing.
///
/// `@unchecked Sendable`: `free` and `larger` are guarded by `lock`.
final class MemoryPool: @unchecked Sendable {
    private let lock = NSLock()
    private var free: [Int: [UnsafeMutableRawPointer]] = [:]
    /// The sizes of blocks that were handed out for fewer bytes than they have.
    private var larger: [UnsafeMutableRawPointer: Int] = [:]

    /// Bytes are rounded up, so that nearby sizes share blocks: to 64 bytes, from 1 MiB on to an eighth of the size.
    static func roundedUp(_ bytes: Int) -> Int {
        guard bytes > 1 << 20 else { return max(64, (bytes + 63) & ~63) }
        let grain = max(1 << 12, 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount - 3))
        return (bytes + grain - 1) / grain * grain
    }

    /// A block of at least `bytes`, aligned to a cache line, with arbitrary content.
    func take(_ bytes: Int) -> UnsafeMutableRawPointer {
        let size = Self.roundedUp(bytes)
        return lock.withLock { free[size]?.popLast() ?? nextLarger(than: size) } ?? Self.allocate(size)
    }

    /// A free block of up to twice the size: the layers of a network rarely want the same sizes, nor all at one time.
    private func nextLarger(than size: Int) -> UnsafeMutableRawPointer? {
        guard size > 1 << 20 else { return nil }
        let fitting = free.keys.filter { $0 > size && $0 <= 2 * size && free[$0]?.isEmpty == false }
        guard let found = fitting.min(), let block = free[found]?.popLast() else { return nil }
        larger[block] = found
        return block
    }

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        let hugePage = 1 << 21
        guard size >= hugePage else { return .allocate(byteCount: size, alignment: 64) }
        let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: hugePage)
        // Feature maps are read in planes far apart: huge pages save most address translations. A mere wish.
        _ = madvise(block, size / hugePage * hugePage, Int32(MADV_HUGEPAGE))
        return block
    }

    /// Takes back a block that ``take(_:)`` gave for the same number of bytes.
    func giveBack(_ block: UnsafeMutableRawPointer, bytes: Int) {
        lock.withLock {
            let size = larger.removeValue(forKey: block) ?? Self.roundedUp(bytes)
            free[size, default: []].append(block)
        }
    }

    deinit {
        for block in free.values.joined() { block.deallocate() }
    }
}

/// The storage of one tensor; its memory goes back to the pool with the last reference.
final class Buffer {
    let cpu: CPU
    let count: Int
    let pointer: UnsafeMutablePointer<Float>

    init(count: Int, on cpu: CPU) {
        self.cpu = cpu
        self.count = count
        pointer = cpu.memory.take(count * MemoryLayout<Float>.stride).bindMemory(to: Float.self, capacity: count)
    }

    deinit { cpu.memory.giveBack(pointer, bytes: count * MemoryLayout<Float>.stride) }
}
