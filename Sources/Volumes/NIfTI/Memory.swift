import Foundation

/// The memory that this process could get.
enum Memory {
    /// What the machine has, or `ulimit -v` allows if that is less, in bytes.
    static var largest: Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        return Int(min(ProcessInfo.processInfo.physicalMemory, UInt64(limit.rlim_cur), UInt64(Int.max)))
    }
}
