import Foundation

extension Communicator {
    /// How many threads this rank should compute with: the cores that it may use, shared with the ranks of the same machine
    /// that may use the same. All ranks ask at once.
    public func fairShareOfCores() -> Int {
        guard count > 1, let allowed = Machine.allowedCores else { return ProcessInfo.processInfo.activeProcessorCount }
        let place = "\(Machine.name) \(allowed)"
        return max(1, Machine.count(allowed) / gather(place).count { $0 == place })
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

    /// The cores that the process may use, such as `0-3,8`; launchers bind ranks to some. Nil if the system does not say.
    static var allowedCores: String? {
        let key = "Cpus_allowed_list:"
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        return status?.split(separator: "\n").first { $0.hasPrefix(key) }
            .map { $0.dropFirst(key.count).trimmingCharacters(in: .whitespaces) }
    }

    /// How many cores a list such as `0-3,8` has.
    static func count(_ list: String) -> Int {
        list.split(separator: ",").reduce(0) { sum, range in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            return sum + (ends.count == 2 ? ends[1] - ends[0] + 1 : ends.count)
        }
    }
}
