/// Stops the process with `message` when `condition` is false: a mistake in the calling code, never in a user's data.
///
/// A failed `precondition` in an optimized build on Linux dies without a word; this prints its reason in every build.
@inlinable
public func check(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition() { fatalError(message(), file: file, line: line) }
}
