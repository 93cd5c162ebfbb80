import Foundation
import Testing
import WeightFiles

struct PyTorchWritingTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private static let tensors: [String: StoredTensor] = [
        "double": StoredTensor([1.5, -2] as [Double], shape: [2]), "float": StoredTensor([Float](), shape: [3, 0, 2]),
        "half": StoredTensor([1, 2, 3, 4, 5, 6] as [Float16], shape: [1, 2, 3]),
        "long": StoredTensor([1 << 40] as [Int64], shape: []), "int": StoredTensor([-7] as [Int32], shape: [1]),
        "short": StoredTensor([1, 2] as [Int16], shape: [2, 1]), "char": StoredTensor([-1] as [Int8], shape: [1]),
        "byte": StoredTensor([255] as [UInt8], shape: [1]), "bool": StoredTensor([true, false], shape: [2]),
        "bfloat": StoredTensor(elementType: .bfloat16, shape: [1], bytes: Data([0x80, 0x3F])),
    ]

    @Test func whatIsWrittenIsRead() throws {
        var pairs = Self.tensors.sorted { $0.key < $1.key }.map { name, tensor in
            (key: name, value: PyTorchContent.tensor(tensor, storage: name))
        }
        pairs.append(("twice", .tensor(try #require(Self.tensors["double"]), storage: "double")))
        pairs.append(
            ("a/b~c", .list([.none, .bool(true), .number(-0.1), .text("Größe"), .tuple([.integer(-1 << 40)])])))
        try PyTorchFile.write(.dictionary(pairs), to: folder("a.pth"))
        let file = try PyTorchFile.read(folder("a.pth"))
        var expected = Self.tensors
        expected["twice"] = expected["double"]
        #expect(file.tensors == expected)
        #expect(
            file.scalars == [
                "a~1b~0c/0": PyTorchScalar.none, "a~1b~0c/1": .bool(true), "a~1b~0c/2": .number(-0.1),
                "a~1b~0c/3": .text("Größe"), "a~1b~0c/4/0": .integer(-1 << 40),
            ])
        // The same content gives the same bytes.
        try PyTorchFile.write(.dictionary(pairs), to: folder("b.pth"))
        #expect(
            try Data(contentsOf: URL(filePath: folder("a.pth"))) == Data(contentsOf: URL(filePath: folder("b.pth"))))
    }

    @Test func aSharedStorageIsWrittenOnce() throws {
        let tensor = StoredTensor([Float](repeating: 1, count: 10_000), shape: [10_000])
        let names = (0..<4).map { "w\($0)" }
        let shared = PyTorchContent.dictionary(names.map { ($0, .tensor(tensor, storage: "w")) })
        try PyTorchFile.write(shared, to: folder("shared.pth"))
        let size = try Data(contentsOf: URL(filePath: folder("shared.pth"))).count
        #expect(size > 40_000 && size < 45_000)
        #expect(try PyTorchFile.read(folder("shared.pth")).tensors.count == 4)
    }
}
