/// The memory that reading a file may take beyond the file itself, paid before it is taken.
///
/// A few bytes can ask for terabytes: a view that repeats one number, a compressed record, a list in a list in a list.
/// Honest files stay far below twice their own size.
struct ReadBudget {
    /// What one value of a pickle, one entry of an archive or one name of a tensor costs at most.
    static let bytesPerValue = 96

    private var bytes: Int

    /// The budget of a file of this many bytes.
    init(fileSize: Int) { bytes = 2 * fileSize + (40 << 20) }

    /// Takes `count` bytes for `purpose`.
    /// - Throws: ``PyTorchError`` of kind `tooLarge` if the file is not worth that much.
    mutating func pay(_ count: Int, for purpose: @autoclosure () -> String) throws {
        guard count <= bytes else {
            throw PyTorchError(
                .tooLarge, "\(purpose()) takes far more memory than the file; it is damaged or malicious.")
        }
        bytes -= count
    }
}
