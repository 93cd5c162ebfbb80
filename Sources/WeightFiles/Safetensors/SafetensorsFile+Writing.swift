import Foundation
import Tensors

extension SafetensorsFile {
    /// Writes the file so that `path` holds either its former content or all of the new one, whatever happens.
    ///
    /// The same content gives the same bytes. Wide elements come first, so that every tensor is aligned. A checksum of the
    /// whole file goes into its metadata, and reading verifies it.
    /// - Returns: the checksum.
    /// - Throws: ``FileError``.
    @discardableResult
    public func write(to path: String) throws -> UInt32 {
        let ordered = tensors.sorted {
            ($1.value.elementType.byteCount, $0.key) < ($0.value.elementType.byteCount, $1.key)
        }
        var head = try encodedHeader(ordered)
        var check = CRC32()
        check.add(head)
        for (_, tensor) in ordered { check.add(tensor.bytes) }
        if let place = FileChecksum.place(in: head) {
            head.replaceSubrange(place, with: Data(FileChecksum.text(check.value).utf8))
        }
        try AtomicFile.write(to: path) { file in
            try file.write(head)
            for (_, tensor) in ordered { try file.write(tensor.bytes) }
        }
        return check.value
    }

    /// Writes tensors and strings to a safetensors file; see ``write(to:)``.
    @discardableResult
    public static func write(
        _ tensors: [String: StoredTensor], metadata: [String: String] = [:], to path: String
    ) throws -> UInt32 {
        try SafetensorsFile(tensors: tensors, metadata: metadata).write(to: path)
    }

    /// The header's length and text, padded with spaces to a multiple of eight bytes.
    private func encodedHeader(_ ordered: [(key: String, value: StoredTensor)]) throws -> Data {
        check(
            tensors[SafetensorsHeader.metadataKey] == nil, "no tensor can be called \(SafetensorsHeader.metadataKey)")
        var header = SafetensorsHeader()
        header.metadata = metadata
        header.metadata[FileChecksum.key] = FileChecksum.none
        var offset = 0
        for (name, tensor) in ordered {
            header.entries[name] = .init(
                dtype: tensor.elementType.rawValue, shape: tensor.shape,
                dataOffsets: [offset, offset + tensor.bytes.count])
            offset += tensor.bytes.count
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text = try encoder.encode(header)
        text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -text.count & 7))
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) } + text
    }
}
