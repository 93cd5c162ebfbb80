/// The content of a safetensors file: named tensors and a dictionary of strings.
///
/// Format: https://github.com/huggingface/safetensors. Eight bytes give the length of a JSON header, the header tells
/// each tensor's element type, shape and place, the tensors' bytes follow without gaps.
public struct SafetensorsFile: Sendable, Equatable {
    /// The file's strings; `warmstart` keeps the transfer card there.
    public var metadata: [String: String]
    /// The tensors by name.
    public var tensors: [String: StoredTensor]
    /// Where the content was read from, for messages.
    public private(set) var path: String
    /// The checksum of the file that the content was read from; nil if it has none.
    public private(set) var checksum: UInt32?

    /// Content that is in no file yet.
    public init(tensors: [String: StoredTensor] = [:], metadata: [String: String] = [:]) {
        self.init(tensors: tensors, metadata: metadata, path: "(in memory)")
    }

    init(tensors: [String: StoredTensor], metadata: [String: String], path: String, checksum: UInt32? = nil) {
        (self.tensors, self.metadata, self.path, self.checksum) = (tensors, metadata, path, checksum)
    }

    /// The tensor called `name`.
    /// - Throws: ``SafetensorsError/missingTensor(file:tensor:)``.
    public func tensor(_ name: String) throws -> StoredTensor {
        guard let tensor = tensors[name] else { throw SafetensorsError.missingTensor(file: path, tensor: name) }
        return tensor
    }

    /// True when names, tensors and metadata are the same, wherever they were read from.
    public static func == (left: Self, right: Self) -> Bool {
        left.metadata == right.metadata && left.tensors == right.tensors
    }
}
