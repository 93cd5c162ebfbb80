import Foundation

/// Tells how far a long work is: a bar with rate and remaining time on a terminal, plain lines otherwise.
public struct Progress {
    private let title: String
    private let total: Int
    private let unit: String
    private let isTerminal: Bool
    private let write: (String) -> Void
    private let now: () -> Double
    private var start: (count: Int, time: Double)?
    private var lastShown = -Double.infinity
    private var lastLine = ""

    /// Progress on the standard error stream.
    /// - Parameters:
    ///   - title: what is done, such as `pre-training`.
    ///   - total: how many units there are.
    ///   - unit: what is counted, such as `step` or `case`.
    public init(_ title: String, total: Int, unit: String = "step") {
        self.init(
            title, total: total, unit: unit, isTerminal: isatty(STDERR_FILENO) == 1,
            write: StandardError.write,
            now: { ProcessInfo.processInfo.systemUptime })
    }

    /// Progress that is written and timed by the caller's functions.
    /// - Parameter now: seconds.
    package init(
        _ title: String, total: Int, unit: String, isTerminal: Bool, write: @escaping (String) -> Void,
        now: @escaping () -> Double
    ) {
        (self.title, self.total, self.unit) = (title, total, unit)
        (self.isTerminal, self.write, self.now) = (isTerminal, write, now)
    }

    /// Progress that says nothing.
    public static var silent: Progress {
        Progress("", total: 0, unit: "", isTerminal: true, write: { _ in }, now: { 0 })
    }

    /// `count` units are done. Shown at most ten times per second on a terminal, else every half minute.
    /// - Parameter note: a few words on the last unit.
    public mutating func advance(to count: Int, note: String = "") {
        let time = now()
        if start == nil { start = (count - 1, time) }
        lastLine = line(count, note, time)
        guard time - lastShown >= (isTerminal ? 0.1 : 30) else { return }
        lastShown = time
        show()
    }

    /// Ends the line on a terminal, so that something else can be written; the next ``advance(to:note:)`` shows a new one.
    public mutating func interrupt() {
        guard isTerminal, lastShown > -.infinity else { return }
        write("\n")
        lastShown = -.infinity
    }

    /// Shows the last state and ends the line.
    public mutating func finish() {
        show()
        if isTerminal { write("\n") }
    }

    private func show() {
        write(isTerminal ? "\r\u{1B}[K\(lastLine)" : "\(lastLine)\n")
    }

    private func line(_ count: Int, _ note: String, _ time: Double) -> String {
        let (firstCount, firstTime) = start ?? (0, time)
        let rate = time > firstTime ? Double(count - firstCount - 1) / (time - firstTime) : 0
        var words = ["\(title) \(count)/\(total)"]
        if isTerminal {
            let filled = total > 0 ? 24 * min(count, total) / total : 24
            words.append("[\(String(repeating: "█", count: filled))\(String(repeating: "·", count: 24 - filled))]")
        }
        if rate > 0 {
            words.append(
                rate >= 1 ? String(format: "%.1f %@s/s", rate, unit) : String(format: "%.1f s/%@", 1 / rate, unit))
            words.append("\(Self.duration(Double(total - count) / rate)) left")
        }
        if !note.isEmpty { words.append(note) }
        return words.joined(separator: "  ")
    }

    /// For example `2 h 05 min`.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 1e9)).rounded())
        return switch whole {
        case ..<60: "\(whole) s"
        case ..<3600: String(format: "%d min %02d s", whole / 60, whole % 60)
        default: String(format: "%d h %02d min", whole / 3600, whole % 3600 / 60)
        }
    }
}
