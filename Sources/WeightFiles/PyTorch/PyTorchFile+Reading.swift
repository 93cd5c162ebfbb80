import Foundation

extension PyTorchFile {
    /// Reads a `.pth` or `.pt` file, in the zip format or in that of PyTorch before 1.6.
    ///
    /// Nothing in the file is executed. Every number in it is checked before it is used; tensors are slices of the file,
    /// which is mapped into memory, where they lie in order.
    /// - Throws: ``FileError`` if the file cannot be read, ``PyTorchError`` if it is damaged, malicious or something else.
    public static func read(_ path: String) throws -> PyTorchFile {
        let content: Data
        do {
            content = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        } catch {
            throw FileError("read", path, error)
        }
        return try PyTorchFile(parsing: content, from: path)
    }

    /// The content of a file that is in memory already.
    /// - Parameter path: the name that messages use.
    /// - Throws: ``PyTorchError``.
    public init(parsing content: Data, from path: String) throws {
        self.init(path: path)
        do {
            if content.starts(with: ZipArchive.signature) {
                try read(zip: content)
            } else if let header = try LegacyHeader(content) {
                try read(legacy: header, fileSize: content.count)
            } else {
                throw Self.unrecognized(content)
            }
        } catch let error as PyTorchError {
            throw error.located(in: path)
        }
    }

    private mutating func read(zip content: Data) throws {
        var budget = ReadBudget(fileSize: content.count)
        let archive = try ZipArchive(content, budget: &budget)
        let pickles = archive.entries.values.filter { entry in
            let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == 2 && parts[1] == "data.pkl"
        }
        guard pickles.count == 1, let pickle = pickles.first else {
            throw PyTorchError(.notACheckpoint, "it is a zip archive, but none that torch.save wrote.")
        }
        let folder = pickle.name.dropLast("data.pkl".count)
        guard archive.entries["\(folder)constants.pkl"] == nil else {
            throw PyTorchError(
                .torchScript, "it is a TorchScript program. In PyTorch, save its state_dict() with torch.save.")
        }
        let isBigEndian = try archive.entries["\(folder)byteorder"].map {
            try archive.content(of: $0, budget: &budget).starts(with: Data("big".utf8))
        }
        let bytes = try archive.content(of: pickle, budget: &budget)
        var machine = PickleMachine(bytes, budget: budget, endingWith: PickleMachine.bad("it ends too early"))
        let root = try machine.run()
        var storages = StorageSource(isBigEndian: isBigEndian ?? false) { storage, budget in
            guard let entry = archive.entries["\(folder)data/\(storage.key)"] else {
                throw PyTorchError(
                    .missingRecord, "the record data/\(storage.key) is missing. Copy or download the file again.")
            }
            return try archive.content(of: entry, budget: &budget)
        }
        try list(root, of: machine, from: &storages)
    }

    private mutating func read(legacy header: LegacyHeader, fileSize: Int) throws {
        var machine = PickleMachine(
            header.rest, budget: ReadBudget(fileSize: fileSize), endingWith: LegacyHeader.truncated)
        let root = try machine.run()
        let records = try LegacyStorages(after: &machine)
        var storages = StorageSource(isBigEndian: false) { storage, _ in try records[storage] }
        try list(root, of: machine, from: &storages)
    }

    private mutating func list(
        _ root: PickleValue, of machine: PickleMachine, from storages: inout StorageSource
    ) throws {
        var lister = PickleLister(heap: machine.heap, budget: machine.budget, storages: storages)
        try lister.list(root, at: "", depth: 0)
        (tensors, scalars) = (lister.tensors, lister.scalars)
    }

    /// What a file that is no checkpoint is likely to be.
    private static func unrecognized(_ content: Data) -> PyTorchError {
        let likely =
            if content.isEmpty {
                "the file is empty. Copy or download it again."
            } else if content.starts(with: Data("version https://git-lfs".utf8)) {
                "it is a git-lfs pointer, not the weights: fetch them with `git lfs pull`."
            } else if content.first(where: { $0 > 0x20 }) == UInt8(ascii: "<") {
                "it is a web page, not the weights: download them again."
            } else {
                "it is neither a safetensors file nor one that torch.save wrote."
            }
        return PyTorchError(.notACheckpoint, likely)
    }
}
