import Foundation
import WeightFiles

/// Files in `Tests/Fixtures/checkpoints`, all of `{"x": arange(6).reshape(2, 3), "columns": x.t(), "steps": 7}` in float32.
///
/// `legacy.pt` is written by PyTorch 2 with `_use_new_zipfile_serialization=False`; `deflated.pth` and `zip64.pth` hold the
/// records of the usual format, packed by Python's zipfile: compressed, and with every size and offset in zip64 fields.
enum PyTorchFixtures {
    static let names = ["legacy.pt", "deflated.pth", "zip64.pth"]

    static func path(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/checkpoints/\(name)").path(percentEncoded: false)
    }
}
