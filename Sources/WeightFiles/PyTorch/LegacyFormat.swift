import Foundation

/// The beginning of a file of PyTorch before 1.6: three pickles that tell the format, its version and the machine.
struct LegacyHeader {
    /// 0x1950a86a20f9469cfc6c, little-endian.
    private static let magic = Data([0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19])

    /// What follows: the pickle of the content, that of the storages' keys, and the storages.
    let rest: Data

    /// What is thrown where the file ends too early.
    static let truncated = PyTorchError(.truncated, "the file ends too early. Copy or download it again.")

    /// The header of a file; nil if the file has none.
    init?(_ content: Data) throws {
        guard content.first == PickleOperation.proto.rawValue else { return nil }
        func machine(_ bytes: Data) -> PickleMachine {
            PickleMachine(bytes, budget: ReadBudget(fileSize: 0), endingWith: Self.truncated)
        }
        var beginning = machine(content.prefix(64))
        guard case .bigInteger(Self.magic)? = try? beginning.run() else { return nil }
        var version = machine(content[beginning.cursor.position...])
        _ = try version.run()
        var system = machine(version.rest)
        _ = try system.run()
        rest = system.rest
    }
}

/// The storages of such a file: a pickled list of their keys, then for each its count and its elements. Both are
/// little-endian, whatever machine wrote them.
struct LegacyStorages {
    private var records: [String: (elementType: ElementType, bytes: Data)] = [:]

    /// Reads what follows the pickle that `machine` has run.
    init(after machine: inout PickleMachine) throws {
        var types: [String: ElementType] = [:]
        for case .storage(let storage) in machine.heap.objects {
            guard
                types.updateValue(storage.elementType, forKey: storage.key) ?? storage.elementType
                    == storage.elementType
            else { throw PyTorchError(.badTensor, "the storage '\(storage.key)' has elements of two types.") }
        }
        var list = PickleMachine(machine.rest, budget: machine.budget, endingWith: LegacyHeader.truncated)
        let keys = try list.run()
        var cursor = ByteCursor(list.rest, endingWith: LegacyHeader.truncated)
        for key in list.heap.elements(keys) ?? [] {
            guard case .text(let name) = key, let type = types[name] else {
                throw PickleMachine.bad("it lists storages that no tensor has")
            }
            let (byteCount, overflow) = try cursor.count(Int64.self).multipliedReportingOverflow(by: type.byteCount)
            guard !overflow else { throw LegacyHeader.truncated }
            records[name] = (type, try cursor.take(byteCount))
        }
        machine.budget = list.budget
    }

    /// The bytes of a storage as they lie in the file.
    subscript(storage: StorageReference) -> Data {
        get throws {
            guard let record = records[storage.key] else {
                throw PyTorchError(
                    .missingRecord, "the storage '\(storage.key)' is missing. Copy or download the file again.")
            }
            return record.bytes
        }
    }
}
