import Finetuning
import Foundation
import Networks
import Pretraining
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

/// The same as ``MutationTests`` for what consists of text or of several files: recipes, plans, descriptions of datasets, model
/// cards, indices, stores, and compressed images whose checksum is right.
@Suite(.serialized)
struct StructuredMutationTests {
    enum Format: String, CaseIterable {
        case recipe, json, store, gzip
    }

    private static let longForm = ProcessInfo.processInfo.environment["WARMSTART_MUTATIONS"].flatMap { Int($0) }

    /// A folder with one file to damage, and what reads it.
    private struct Target {
        var file: String
        var content: Data
        var read: @Sendable () throws -> Void
    }

    @Test("damaged text and stores are refused or read", arguments: Format.allCases)
    func mutations(format: Format) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/warmstart-structured-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let targets = try Self.targets(format, in: folder)
        for target in targets { try target.read() }
        var (read, slowest) = (0, Duration.zero)
        let count = Self.longForm ?? 100
        for number in 0..<count {
            var mutator = Mutator(number: 1_000_000 + number)
            let target = targets[mutator.choice(of: targets.count)]
            let damaged =
                format == .gzip ? Self.gzip(mutator.damaged(target.content)) : mutator.damagedText(target.content)
            try damaged.write(to: URL(filePath: target.file))
            let time = ContinuousClock().measure {
                do {
                    try target.read()
                    read += 1
                } catch let error as any UserFacingError {
                    #expect(!"\(error)".isEmpty)
                } catch {
                    Issue.record("mutation \(number) of \(target.file): \(error) is no error for users")
                }
            }
            slowest = max(slowest, time)
            #expect(time < .seconds(20), "mutation \(number) of \(target.file)")
            if format != .gzip { try target.content.write(to: URL(filePath: target.file)) }
        }
        if Self.longForm != nil {
            print("\(format.rawValue): \(count) mutations, \(read) read, \(count - read) refused, slowest \(slowest)")
        }
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private static func targets(_ format: Format, in folder: String) throws -> [Target] {
        func target(_ file: String, _ read: @escaping @Sendable () throws -> Void) throws -> Target {
            Target(file: file, content: try Data(contentsOf: URL(filePath: file)), read: read)
        }
        func put(_ text: String, _ name: String) throws -> String {
            try FileManager.default.createDirectory(
                at: URL(filePath: "\(folder)/\(name)").deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
            return "\(folder)/\(name)"
        }
        switch format {
        case .recipe:
            for kind in ["Pretrain", "Finetune"] {
                try FileManager.default.copyItem(atPath: "\(root)/\(kind)", toPath: "\(folder)/\(kind)")
            }
            return try ["s3d-cpu", "mae", "voco-cpu"].map { name in
                let file = "\(folder)/Pretrain/\(name).yaml"
                return try target(file) { _ = try PretrainingRecipe.load(file, sources: ["none"]) }
            }
                + ["default", "small-cpu"].map { name in
                    let file = "\(folder)/Finetune/\(name).yaml"
                    return try target(file) { _ = try FinetuneRecipe.load(file) }
                }
        case .json:
            let cpu = CPU(threads: 1)
            try Phantom(.hippocampus).writeDataset(to: "\(folder)/data", name: "small", cases: 1, seed: 1, on: cpu)
            let dataset = try NNUNetDataset(path: "\(folder)/data")
            let plan = try put(
                String(decoding: Plan.fixed(channelNames: ["T1"], outputChannels: 3, patch: 32).json(), as: UTF8.self),
                "plan.json")
            let card = SegmentationModelCard(
                plan: try Plan(contentsOf: plan), classes: dataset.classes,
                window: SlidingWindow(patch: 32))
            try card.write(toRun: folder)
            let index = try put(
                String(contentsOfFile: "\(root)/Weights/index.json", encoding: .utf8), "index/index.json")
            return [
                try target(plan) { _ = try NetworkUse(plan) },
                try target("\(folder)/data/dataset.json") { _ = try NNUNetDataset(path: "\(folder)/data").structures },
                try target("\(folder)/model.json") { _ = try SegmentationModelCard(ofRun: folder) },
                try target(index) { _ = try WeightsIndex(ofFolder: "\(folder)/index") },
            ]
        case .store:
            let cpu = CPU(threads: 1)
            try Phantom(.hippocampus).writeDataset(to: "\(folder)/data", name: "small", cases: 1, seed: 1, on: cpu)
            let dataset = try NNUNetDataset(path: "\(folder)/data")
            let plan = Plan.fixed(channelNames: ["T1"], outputChannels: 3, patch: 32)
            let path = "\(folder)/store"
            let store = try StoreBuilder(plan: plan, dataset: dataset).build(dataset.trainingCases, at: path, on: cpu)
            let name = store.caseNames[0]
            let files = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
            return try files.sorted().filter { (try? Data(contentsOf: URL(filePath: "\(path)/\($0)"))) != nil }.map {
                try target("\(path)/\($0)") { try PreprocessedStore(opening: path, cacheBytes: 0).case(name).verify() }
            }
        case .gzip:
            let image = Volume(
                voxels: (0..<343).map { Float($0) }, geometry: Geometry(extent: 7, spacingMM: [1, 1, 2]))
            let file = "\(folder)/image.nii.gz"
            try NIfTIFile.write(image, to: "\(folder)/image.nii")
            let content = try Data(contentsOf: URL(filePath: "\(folder)/image.nii"))
            try gzip(content).write(to: URL(filePath: file))
            #expect(try NIfTIFile.read(file).voxels == image.voxels)
            return [Target(file: file, content: content) { _ = try NIfTIFile.read(file) }]
        }
    }

    /// What a training does with a plan first: it makes the network.
    private struct NetworkUse {
        init(_ file: String) throws {
            let plan = try Plan(contentsOf: file)
            try NetworkPlan(plan).validate()
        }
    }

    /// A gzip file with the content in stored blocks (RFC 1951, 3.2.4): valid, whatever the content is.
    static func gzip(_ content: Data) -> Data {
        func little(_ number: some FixedWidthInteger) -> Data { withUnsafeBytes(of: number.littleEndian) { Data($0) } }
        var file = Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
        var rest = content[...]
        repeat {
            let block = rest.prefix(65_535)
            rest = rest.dropFirst(block.count)
            file += [rest.isEmpty ? 1 : 0] + little(UInt16(block.count)) + little(~UInt16(block.count)) + block
        } while !rest.isEmpty
        return file + little(CRC32.of(content)) + little(UInt32(truncatingIfNeeded: content.count))
    }
}
