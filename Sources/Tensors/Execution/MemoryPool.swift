import Foundation

/// Memory that is handed out, taken back and handed out again, so that a steady training step allocates nothing.
///
/// `@unchecked Sendable`: `free` is guarded by `lock`.
final class MemoryPool: @unchecked Sendable {
    private let lock = NSLock()
    private var free: [Int: [UnsafeMutableRawPointer]] = [:]

    /// Bytes are rounded up, so that nearby sizes share blocks: to 64 bytes, from 1 MiB on to an eighth of the size.
    static func roundedUp(_ bytes: Int) -> Int {
        guard bytes > 1 << 20 else { return max(64, (bytes + 63) & ~63) }
        let grain = max(1 << 12, 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount - 3))
        return (bytes + grain - 1) / grain * grain
    }

    /// A block of at least `bytes`, aligned to a cache line, with arbitrary content.
    func take(_ bytes: Int) -> UnsafeMutableRawPointer {
        let size = Self.roundedUp(bytes)
        return lock.withLock { free[size]?.popLast() } ?? Self.allocate(size)
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
        lock.withLock { free[Self.roundedUp(bytes), default: []].append(block) }
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
