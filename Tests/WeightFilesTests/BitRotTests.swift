import Foundation
import Networks
import Testing
import WeightFiles

@Suite("A flipped bit in a weights file is reported")
struct BitRotTests {
    @Test("wherever it is")
    func everyByte() throws {
        let folder = try TemporaryFolder()
        let card = TransferCard(
            architecture: NetworkPlan(inputChannels: 1, outputChannels: 2, features: [4, 8], blocks: [1, 1]),
            method: "s3d", patch: 32, spacingMM: [1, 1, 1], normalization: ["z_score"])
        let file = SafetensorsFile(
            tensors: [
                "encoder.a": StoredTensor([1, 2, 3] as [Float], shape: [3]), "b": StoredTensor(scalar: Int64(7)),
            ],
            metadata: card.metadata)
        try file.write(to: folder("a.safetensors"))
        let bytes = try Data(contentsOf: URL(filePath: folder("a.safetensors")))
        #expect(try SafetensorsFile(parsing: bytes, from: "a") == file)
        var unnoticed = 0
        for place in bytes.indices {
            for bit in [0, 1, 5] {
                var damaged = bytes
                damaged[place] ^= 1 << UInt8(bit)
                do {
                    // Only a damage of the word that announces the checksum goes unnoticed: all else is as it was.
                    let read = try SafetensorsFile(parsing: damaged, from: "a.safetensors")
                    #expect(read.tensors == file.tensors && TransferCard(metadata: read.metadata) == card)
                    unnoticed += 1
                } catch let error as SafetensorsError {
                    #expect(error.description.contains("a.safetensors"))
                }
            }
        }
        #expect(unnoticed <= 3 * "warmstart.crc32".count)
    }

    @Test("a file of another tool has no checksum and is read")
    func foreign() throws {
        let header = #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
        let bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8) + [9]
        let file = try SafetensorsFile(parsing: bytes, from: "a")
        #expect(try file.tensor("a").integers() == [9] && file.checksum == nil)
    }

    @Test("a tensor's name cannot pose as the checksum")
    func impostor() throws {
        let folder = try TemporaryFolder()
        let name = #""warmstart.crc32":"00000000""#
        let file = SafetensorsFile(tensors: [name: StoredTensor(scalar: Float(1))], metadata: [name: name])
        try file.write(to: folder("a"))
        #expect(try SafetensorsFile.read(folder("a")) == file)
    }

    @Test("the check is CRC-32: of 123456789 it is CBF43926 (the check value of RFC 1952's polynomial)")
    func checkValue() {
        var check = CRC32()
        for byte in "123456789".utf8 { check.add(Data([byte])) }
        #expect(check.value == 0xCBF4_3926 && CRC32.of(Data("123456789".utf8)) == 0xCBF4_3926)
    }
}
