import Foundation

extension SafetensorsFile {
    /// A header longer than this is refused, as by the reference implementation.
    private static let longestHeader = 100_000_000

    /// Reads a file and checks every number in it before it is used, and its checksum if it has one, as all files have that
    /// ``write(to:)`` wrote.
    ///
    /// The file is mapped into memory, and nothing that a header claims is allocated.
    /// - Throws: ``FileError`` if it cannot be read, ``SafetensorsError`` if it is damaged.
    public static func read(_ path: String) throws -> SafetensorsFile {
        let content: Data
        do {
            content = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        } catch {
            throw FileError("read", path, error)
        }
        return try SafetensorsFile(parsing: content, from: path)
    }

    /// The content of a file that is in memory already.
    /// - Parameter path: the name that messages use.
    /// - Throws: ``SafetensorsError``.
    public init(parsing content: Data, from path: String) throws {
        func damaged(_ problem: String) -> SafetensorsError { .damaged(file: path, problem: problem) }
        guard content.count >= 8 else { throw damaged("it has \(content.count) bytes, a header has at least 8") }
        let declared = content.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard declared <= UInt64(min(Self.longestHeader, content.count - 8)) else {
            throw damaged("the header claims \(declared) bytes, the file has \(content.count)")
        }
        let headerBytes = content.dropFirst(8).prefix(Int(declared))
        guard headerBytes.first == UInt8(ascii: "{") else { throw damaged("the header is no JSON object") }
        let header: SafetensorsHeader
        do {
            header = try JSONDecoder().decode(SafetensorsHeader.self, from: Data(headerBytes))
        } catch let error as DecodingError {
            throw damaged("the header cannot be understood: \(error.summary)")
        }
        let data = content.dropFirst(8 + Int(declared))
        var metadata = header.metadata
        let recorded = metadata.removeValue(forKey: FileChecksum.key)
        let checksum = recorded == nil ? nil : FileChecksum.of(head: Data(content.prefix(8 + Int(declared))), data)
        guard recorded == checksum.map(FileChecksum.text) else {
            throw damaged(
                "its checksum is not the one recorded (a tool that changes the file must drop '\(FileChecksum.key)')")
        }
        let tensors = try Self.tensors(of: header, in: data, path)
        self.init(tensors: tensors, metadata: metadata, path: path, checksum: checksum)
    }

    /// Cuts `data`, all that follows the header, into tensors. They must fill it without gap or overlap.
    private static func tensors(
        of header: SafetensorsHeader, in data: Data, _ path: String
    ) throws -> [String: StoredTensor] {
        var tensors: [String: StoredTensor] = [:]
        var end = 0
        for (name, entry) in header.entries.sorted(by: precedes) {
            func bad(_ problem: String) -> SafetensorsError { .badTensor(file: path, tensor: name, problem: problem) }
            guard let type = ElementType(rawValue: entry.dtype) else {
                throw bad("elements of type \(entry.dtype) are not supported")
            }
            guard let size = type.byteCount(of: entry.shape) else {
                throw bad("the shape \(entry.shape) is impossible")
            }
            guard entry.dataOffsets.count == 2 else {
                throw bad("data_offsets has \(entry.dataOffsets.count) numbers, not 2")
            }
            let (first, last) = (entry.dataOffsets[0], entry.dataOffsets[1])
            guard first >= 0, first <= last, last <= data.count else {
                throw bad("its bytes \(first)..<\(last) are not within the \(data.count) bytes of data")
            }
            guard last - first == size else {
                throw bad("\(type.rawValue) \(entry.shape) takes \(size) bytes, data_offsets give \(last - first)")
            }
            guard first == end else {
                throw bad("its bytes begin at \(first), those of the tensor before end at \(end)")
            }
            end = last
            tensors[name] = StoredTensor(
                elementType: type, shape: entry.shape,
                bytes: data[(data.startIndex + first)..<(data.startIndex + last)])
        }
        guard end == data.count else {
            throw SafetensorsError.damaged(file: path, problem: "\(data.count - end) bytes belong to no tensor")
        }
        return tensors
    }

    private static func precedes(
        _ left: (key: String, value: SafetensorsHeader.Entry), _ right: (key: String, value: SafetensorsHeader.Entry)
    ) -> Bool {
        left.value.dataOffsets.lexicographicallyPrecedes(right.value.dataOffsets)
    }
}
