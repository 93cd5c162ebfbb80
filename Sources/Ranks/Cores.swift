import Foundation

extension Communicator {
    /// How many threads this rank should compute with: the cores that it may use, shared with the ranks of the same machine
    /// that may use the same. All ranks ask at once.
    public func fairShareOfCores() -> Int {
        var allowed = cpu_set_t()
        guard count > 1, sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &allowed) == 0 else {
            return ProcessInfo.processInfo.activeProcessorCount
        }
        let bits = withUnsafeBytes(of: allowed) { $0.map { String($0, radix: 16) }.joined(separator: ".") }
        let cores = withUnsafeBytes(of: allowed) { $0.reduce(0) { $0 + $1.nonzeroBitCount } }
        let place = "\(Machine.name) \(bits)"
        return max(1, cores / gather(place).count { $0 == place })
    }
}

/// The machine that the process runs on.
enum Machine {
    /// The name that the machine has for itself, without asking the network.
    static var name: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
