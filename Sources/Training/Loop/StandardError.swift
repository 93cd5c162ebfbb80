import Foundation

/// What is said to the user while work goes on.
package enum StandardError {
    /// Writes `text`, or as much of it as finds a place: a full disk under a redirected log, or a reader that has gone, must
    /// not end a training of days.
    package static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
