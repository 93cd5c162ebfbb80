import Foundation
import Tensors
import Testing
import Volumes
import WeightFiles

@Suite("What people write into headers goes nowhere")
struct NIfTIPrivacyTests {
    /// Where NIfTI-1 keeps text: data_type, db_name, descrip, aux_file, intent_name.
    private static let textFields = [4: 10, 14: 18, 148: 80, 228: 24, 328: 16]
    private static let name = "DOE^JANE"

    /// Every file below `folder` as text in which a name would be found, also base64 within JSON.
    private func everything(in folder: String) throws -> [(file: String, bytes: Data)] {
        try (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).compactMap { file in
            let path = "\(folder)/\(file)"
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
                return nil
            }
            return (file, try Data(contentsOf: URL(filePath: path)))
        }
    }

    @Test("stores, predictions and images that are written hold no text of the header they came from")
    func text() throws {
        try withFolder { folder in
            var original = HandmadeNIfTI(dimensions: [12, 12, 12])
            for (offset, size) in Self.textFields {
                let text = Array(Self.name.utf8.prefix(size))
                original.header.replaceSubrange(offset..<offset + text.count, with: text)
            }
            try FileManager.default.createDirectory(atPath: "\(folder)/out", withIntermediateDirectories: true)
            try write(original.bytes, to: "\(folder)/scan.nii")
            let image = try NIfTIFile.read("\(folder)/scan.nii")
            let cpu = CPU(threads: 1)
            let plan = Plan.fixed(channelNames: ["T1"], outputChannels: 2, patch: 32)
            let preprocessed = try plan.preprocessing(image, on: cpu)
            let store = "\(folder)/out/store"
            try PreprocessedStore.create(at: store, plan: plan)
            try PreprocessedStore.write(
                preprocessed, named: "a", sources: [SourceFile(name: "scan.nii", bytes: 1, digest: "d")], to: store)
            let prediction = preprocessed.record.placed(
                [Int16](repeating: 1, count: preprocessed.record.box.extent.volume), on: cpu)
            try NIfTIFile.write(prediction, to: "\(folder)/out/prediction.nii")
            try NIfTIFile.write(image, to: "\(folder)/out/image.nii")

            let needles = [0, 1, 2].map { shift in
                // In base64 the same bytes look different at each of three places; the ends depend on the neighbours.
                let padded = Data(repeating: 0, count: shift) + Data(Self.name.utf8)
                return Data(padded.base64EncodedString().dropFirst(4).dropLast(4).utf8)
            }
            for (file, bytes) in try everything(in: "\(folder)/out") {
                for needle in [Data("JANE".utf8)] + needles {
                    #expect(bytes.range(of: needle) == nil, "\(file)")
                }
            }
            let header = try #require(image.header)
            let encoded = try JSONEncoder().encode([header])
            #expect(try JSONDecoder().decode([NIfTIHeader].self, from: encoded) == [header])
        }
    }

    @Test("an image that no memory holds is refused before it is read, if the file has all its bytes")
    func sparse() throws {
        try withFolder { folder in
            let edge = 32_000
            let small = HandmadeNIfTI(dimensions: [edge, edge, 1000], voxels: [])
            let path = "\(folder)/huge.nii"
            try write(small.bytes, to: path)
            // A hole of two terabytes takes no place on the disk.
            guard truncate(path, off_t(352 + 2 * edge * edge * 1000)) == 0 else { return }
            let error = #expect(throws: NIfTIError.self) { try NIfTIFile.read(path) }
            #expect(error?.kind == .tooLarge)
        }
    }
}
