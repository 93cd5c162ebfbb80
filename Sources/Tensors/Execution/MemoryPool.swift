import Foundation

/// Memory that is handed out, taken back and handed out again, so that a steady training step allocates nothing.
///
/// `@unchecked Sendable`: everything is guarded by `lock`.
final class MemoryPool: @unchecked Sendable {
    private let lock = NSLock()
    /// Small blocks by size.
    private var free: [Int: [UnsafeMutableRawPointer]] = [:]
    /// Where large blocks come from, from the first one on.
    private var arena: Arena?
    private var hasTriedArena = false
    private var handedOut = 0
    private var peak = 0
    private let content: Float?

    /// - Parameter content: what blocks hold when they are handed out; by default what was there before.
    init(content: Float? = nil) { self.content = content }

    /// Bytes are rounded up, so that nearby sizes share blocks: to 64 bytes, from 1 MiB on to pages.
    static func roundedUp(_ bytes: Int) -> Int {
        let grain = isLarge(bytes) ? 1 << 12 : 64
        return max(grain, (bytes + grain - 1) / grain * grain)
    }

    private static func isLarge(_ bytes: Int) -> Bool { bytes > 1 << 20 }

    /// A block of at least `bytes`, aligned to a cache line, with arbitrary content.
    func take(_ bytes: Int) -> UnsafeMutableRawPointer {
        let size = Self.roundedUp(bytes)
        let block = lock.withLock {
            handedOut += size
            peak = max(peak, handedOut)
            if Self.isLarge(size), let block = takeFromArena(size) { return block }
            return free[size]?.popLast() ?? .allocate(byteCount: size, alignment: 64)
        }
        if let content { block.initializeMemory(as: Float.self, repeating: content, count: size / 4) }
        return block
    }

    private func takeFromArena(_ size: Int) -> UnsafeMutableRawPointer? {
        if !hasTriedArena { (arena, hasTriedArena) = (Arena(), true) }
        return arena?.take(size)
    }

    /// Takes back a block that ``take(_:)`` gave for the same number of bytes.
    func giveBack(_ block: UnsafeMutableRawPointer, bytes: Int) {
        let size = Self.roundedUp(bytes)
        lock.withLock {
            handedOut -= size
            if arena?.contains(block) ?? false {
                arena?.giveBack(block, bytes: size)
            } else if Self.isLarge(size) {
                // The arena had no addresses for it: blocks of so many sizes would not be asked for again.
                block.deallocate()
            } else {
                free[size, default: []].append(block)
            }
        }
    }

    /// The most bytes that were handed out at one time since the last call.
    func takePeak() -> Int {
        lock.withLock {
            defer { peak = handedOut }
            return peak
        }
    }

    deinit {
        for block in free.values.joined() { block.deallocate() }
        arena?.discard()
    }
}

/// The storage of one tensor; its memory goes back to the pool with the last reference.
final class Buffer {
    let cpu: CPU
    let count: Int
    let pointer: UnsafeMutablePointer<Float>
    /// How the content is had again when the memory is gone; see ``Kept``.
    var remake: Remake?

    init(count: Int, on cpu: CPU) {
        self.cpu = cpu
        self.count = count
        pointer = cpu.memory.take(count * MemoryLayout<Float>.stride).bindMemory(to: Float.self, capacity: count)
    }

    deinit { cpu.memory.giveBack(pointer, bytes: count * MemoryLayout<Float>.stride) }
}
