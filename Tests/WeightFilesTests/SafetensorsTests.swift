import Foundation
import Testing
import WeightFiles

struct SafetensorsTests {
    /// The bytes of a file with this header text, by hand.
    static func file(_ header: String, data: [UInt8] = [], declared: UInt64? = nil) -> Data {
        withUnsafeBytes(of: (declared ?? UInt64(header.utf8.count)).littleEndian) { Data($0) } + Data(header.utf8)
            + data
    }

    @Test func readsTheFormatsOwnExample() throws {
        let data = Self.file(
            #"{"__metadata__":{"format":"pt"},"a b/\u00e9\"":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]}}   "#,
            data: [0x00, 0x3C, 0x00, 0xC0])
        let file = try SafetensorsFile(parsing: data, from: "hand.safetensors")
        #expect(file.metadata == ["format": "pt"])
        let tensor = try file.tensor("a b/é\"")
        #expect(tensor.shape == [1, 2])
        #expect(try tensor.floats() == [1, -2])
    }

    @Test func everyElementTypeComesBack() throws {
        let folder = try TemporaryFolder()
        var tensors: [String: StoredTensor] = [
            "F64": StoredTensor([1.5, -.infinity] as [Double], shape: [2]),
            "F32": StoredTensor([1.5, -0.0, 3] as [Float], shape: [3, 1]),
            "F16": StoredTensor([65504] as [Float16], shape: [1]),
            "BF16": StoredTensor(elementType: .bfloat16, shape: [2], bytes: Data([0x80, 0x3F, 0x00, 0xC0])),
            "I64": StoredTensor([Int64.min, .max], shape: [2]),
            "I32": StoredTensor([Int32.min, .max], shape: [2]),
            "I16": StoredTensor([Int16.min, .max], shape: [2]),
            "I8": StoredTensor([Int8.min, .max], shape: [2]),
            "U8": StoredTensor([0, 255] as [UInt8], shape: [2]),
            "BOOL": StoredTensor([true, false, true], shape: [3]),
        ]
        #expect(Set(tensors.values.map(\.elementType)) == Set(ElementType.allCases))
        tensors["scalar"] = StoredTensor(scalar: Float(7))
        tensors["empty"] = StoredTensor([Float](), shape: [2, 0, 3])
        tensors[""] = StoredTensor([Double](repeating: 1, count: 32), shape: [2, 2, 2, 2, 2])
        tensors["a/b\n\"\\ 🧠"] = StoredTensor(scalar: UInt8(1))
        let written = SafetensorsFile(tensors: tensors, metadata: ["note": "any \"text\"\n"])
        try written.write(to: folder("all.safetensors"))
        let read = try SafetensorsFile.read(folder("all.safetensors"))
        #expect(read == written)
        #expect(try read.tensor("BF16").floats() == [1, -2])
        #expect(try read.tensor("I64").integers() == [Int.min, Int.max])
        #expect(try read.tensor("BOOL").elements() == [true, false, true])
        #expect(try read.tensor("F64").elements(as: Double.self) == [1.5, -.infinity])
        #expect(folder.names == ["all.safetensors"])
    }

    @Test func theSameContentGivesTheSameAlignedBytes() throws {
        let folder = try TemporaryFolder()
        let content = SafetensorsFile(tensors: [
            "b": StoredTensor([1] as [UInt8], shape: [1]), "a": StoredTensor([2] as [Double], shape: [1]),
        ])
        try content.write(to: folder("1"))
        try content.write(to: folder("2"))
        let bytes = try Data(contentsOf: URL(filePath: folder("1")))
        #expect(try bytes == Data(contentsOf: URL(filePath: folder("2"))))
        #expect(bytes[0] % 8 == 0 && bytes.count == 8 + Int(bytes[0]) + 9)
    }

    @Test(
        "damaged files are refused with their name and the reason",
        arguments: [
            (Data(), "0 bytes"),
            (Data([1, 0, 0, 0, 0, 0, 0]), "7 bytes"),
            (file("{}", declared: 3), "claims 3"),
            (file("{}", declared: .max), "claims 18446744073709551615"),
            (file(""), "no JSON object"),
            (file("[]"), "no JSON object"),
            (file("{\"a\":"), "cannot be understood"),
            (file(String(repeating: "{\"a\":", count: 100_000)), "cannot be understood"),
            (file(#"{"a":{"dtype":"F32","shape":[1]}}"#), "'data_offsets' is missing"),
            (file(#"{"__metadata__":{"n":1}}"#), "cannot be understood"),
            (file(#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#), "cannot be understood"),
            (file(#"{"a":{"dtype":"F32","shape":[1e30],"data_offsets":[0,4]}}"#), "cannot be understood"),
            (file(#"{"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}}"#, data: [0]), "type F8"),
            (file(#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}"#), "impossible"),
            (file(#"{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#), "impossible"),
            (file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}"#, data: [0]), "1 numbers"),
            (file(#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, data: [0]), "not within the 1 bytes"),
            (file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}"#, data: [0]), "not within"),
            (file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}"#, data: [0]), "not within"),
            (file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,2]}}"#, data: [0, 0]), "takes 4 bytes"),
            (file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, data: [0, 0]), "begin at 1"),
            (
                file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: [0, 0]),
                "1 bytes belong to no tensor"
            ),
            (
                file(
                    #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
                    data: [0, 0]), "end at 2"
            ),
        ])
    func refusesDamage(content: Data, reason: String) throws {
        let error = #expect(throws: SafetensorsError.self) {
            try SafetensorsFile(parsing: content, from: "x.safetensors")
        }
        #expect(error?.description.contains("x.safetensors") == true)
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        #expect(error?.exitCode == 65)
    }

    @Test func everyTruncationIsRefused() throws {
        let folder = try TemporaryFolder()
        try SafetensorsFile.write(
            ["weight": StoredTensor([1, 2, 3] as [Float], shape: [3])], metadata: ["k": "v"], to: folder("whole"))
        let whole = try Data(contentsOf: URL(filePath: folder("whole")))
        for length in 0..<whole.count {
            #expect(throws: SafetensorsError.self) { try SafetensorsFile(parsing: whole.prefix(length), from: "cut") }
        }
        for index in 0..<whole.count {  // A flipped byte is an error or another file, never a crash.
            var flipped = whole
            flipped[index] ^= 0xFF
            _ = try? SafetensorsFile(parsing: flipped, from: "flipped")
        }
    }

    @Test func missingFilesAndTensorsAreNamed() {
        let error = #expect(throws: FileError.self) { try SafetensorsFile.read("/nowhere/at/all.safetensors") }
        #expect(error?.description.contains("/nowhere/at/all.safetensors") == true && error?.exitCode == 74)
        #expect(throws: SafetensorsError.missingTensor(file: "(in memory)", tensor: "w")) {
            try SafetensorsFile().tensor("w")
        }
        #expect(throws: SafetensorsError.self) { try StoredTensor(scalar: UInt8(1)).floats() }
        #expect(throws: SafetensorsError.self) { try StoredTensor(scalar: Float(1)).integers() }
        #expect(throws: SafetensorsError.self) { try StoredTensor(scalar: Float(1)).elements(as: Double.self) }
    }
}
