import Foundation
import Tensors

extension SafetensorsFile {
    /// Writes the file so that `path` holds either its former content or all of the new one, whatever happens.
    ///
    /// The same content gives the same bytes. Wide elements come first, so that every tensor is aligned.
    /// - Throws: ``FileError``.
    public func write(to path: String) throws {
        let ordered = tensors.sorted {
            ($1.value.elementType.byteCount, $0.key) < ($0.value.elementType.byteCount, $1.key)
        }
        let head = try encodedHeader(ordered)
        try AtomicFile.write(to: path) { file in
            try file.write(head)
            for (_, tensor) in ordered { try file.write(tensor.bytes) }
        }
    }

    /// Writes tensors and strings to a safetensors file; see ``write(to:)``.
    public static func write(
        _ tensors: [String: StoredTensor], metadata: [String: String] = [:], to path: String
    ) throws {
        try SafetensorsFile(tensors: tensors, metadata: metadata).write(to: path)
    }

    /// The header's length and text, padded with spaces to a multiple of eight bytes.
    private func encodedHeader(_ ordered: [(key: String, value: StoredTensor)]) throws -> Data {
        check(
            tensors[SafetensorsHeader.metadataKey] == nil, "no tensor can be called \(SafetensorsHeader.metadataKey)")
        var header = SafetensorsHeader()
        header.metadata = metadata
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
