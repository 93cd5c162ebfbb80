import Foundation

extension PyTorchFile {
    /// Writes a `.pth` file that `torch.load` reads, also with `weights_only=True`. The same content gives the same bytes;
    /// `path` holds either its former content or all of the new one, whatever happens.
    /// - Throws: ``FileError``; for more than the 4 GB that the simple zip format holds, too.
    public static func write(_ content: PyTorchContent, to path: String) throws {
        let pickle = PickleWriter(content)
        let size = pickle.storages.reduce(pickle.bytes.count) { $0 + $1.bytes.count + 1024 }
        guard size <= ZipWriter.greatestSize, pickle.storages.count < Int(UInt16.max) - 8 else {
            throw FileError("write", path, reason: "more than 4 GB or 65,000 tensors do not fit the file format")
        }
        let records =
            [("data.pkl", pickle.bytes), ("byteorder", Data("little".utf8))]
            + pickle.storages.enumerated().map { ("data/\($0.offset)", $0.element.bytes) }
            + [("version", Data("3\n".utf8))]
        try AtomicFile.write(to: path) { file in
            var archive = ZipWriter()
            for (name, content) in records {
                try file.write(archive.header(of: "archive/\(name)", content))
                try file.write(content)
            }
            try file.write(archive.directory())
        }
    }
}
