import Foundation

/// A stretch of addresses from which large blocks are cut, and to whose holes they return.
///
/// Blocks are as large as asked for and neighbouring holes become one, so that layers of any sizes share the memory: the
/// process holds little more than what is handed out at the worst moment. Addresses cost nothing until they are used.
struct Arena {
    /// Blocks begin at multiples of this.
    private static let grain = 1 << 12
    /// Addresses become usable in steps of this.
    private static let step = 1 << 26

    private let start: UnsafeMutableRawPointer
    private let reserved: Int
    /// What was usable so far.
    private var usable = 0
    /// Holes below `top` by address, no two of them neighbours; above `top` nothing was handed out.
    private var holes: [Range<Int>] = []
    private var top = 0

    /// As many addresses as the machine has memory, or a quarter of those that the process may have (`ulimit -v`), for
    /// volumes need some, too; `nil` where the system refuses them.
    init?() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        let most = min(
            ProcessInfo.processInfo.physicalMemory, limit.rlim_cur == rlim_t.max ? .max : UInt64(limit.rlim_cur) / 4)
        let size = Int(clamping: most) / Self.step * Self.step
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let block = mmap(nil, size, PROT_NONE, flags, -1, 0), block != MAP_FAILED else { return nil }
        // Feature maps are read in planes far apart: huge pages save most address translations. A mere wish.
        _ = madvise(block, size, Int32(MADV_HUGEPAGE))
        (start, reserved) = (block, size)
    }

    /// Gives all addresses back to the system.
    func discard() { munmap(start, reserved) }

    func contains(_ block: UnsafeMutableRawPointer) -> Bool { block >= start && block < start + reserved }

    /// A block from the smallest hole that has room for it; `nil` if no addresses are left.
    mutating func take(_ bytes: Int) -> UnsafeMutableRawPointer? {
        let size = Self.whole(bytes, of: Self.grain)
        var best: Int?
        for (index, hole) in holes.enumerated()
        where hole.count >= size && hole.count < best.map({ holes[$0].count }) ?? .max {
            best = index
        }
        if let best {
            let hole = holes[best]
            if hole.count == size {
                holes.remove(at: best)
            } else {
                holes[best] = hole.lowerBound + size..<hole.upperBound
            }
            return start + hole.lowerBound
        }
        // A hole at the end is enlarged.
        let first = holes.last.flatMap { $0.upperBound == top ? $0.lowerBound : nil } ?? top
        guard makeUsable(first + size) else { return nil }
        if first < top { holes.removeLast() }
        top = first + size
        return start + first
    }

    /// Takes back a block that ``take(_:)`` gave for the same number of bytes.
    mutating func giveBack(_ block: UnsafeMutableRawPointer, bytes: Int) {
        let first = block - start
        var hole = first..<first + Self.whole(bytes, of: Self.grain)
        var index = holes.partitioningIndex { $0.lowerBound > first }
        if index < holes.count, holes[index].lowerBound == hole.upperBound {
            hole = hole.lowerBound..<holes.remove(at: index).upperBound
        }
        if index > 0, holes[index - 1].upperBound == hole.lowerBound {
            index -= 1
            hole = holes.remove(at: index).lowerBound..<hole.upperBound
        }
        holes.insert(hole, at: index)
    }

    private mutating func makeUsable(_ end: Int) -> Bool {
        guard end > usable else { return true }
        let wanted = Self.whole(end, of: Self.step)
        guard wanted <= reserved, mprotect(start + usable, wanted - usable, PROT_READ | PROT_WRITE) == 0 else {
            return false
        }
        usable = wanted
        return true
    }

    private static func whole(_ bytes: Int, of unit: Int) -> Int { (bytes + unit - 1) / unit * unit }
}

extension [Range<Int>] {
    /// The index of the first element for which `belongsAbove` holds, of elements that are sorted by it.
    fileprivate func partitioningIndex(_ belongsAbove: (Range<Int>) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongsAbove(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
