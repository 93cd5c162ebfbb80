import Foundation
import Synchronization
import Tensors
import Testing
import Volumes
import WeightFiles

/// A small case with two channels, labels and a way back, of a size that needs several chunks along depth and width.
func preprocessed(
    extent: Extent3 = Extent3(depth: 75, height: 20, width: 90), channels: Int = 2, largestLabel: Int16 = 5,
    isLabeled: Bool = true
) -> PreprocessedCase {
    var draws = Draws(seed: 1, purpose: "store-tests")
    let record = PreprocessingRecord(
        geometry: Geometry(extent: extent, spacingMM: [2, 1, 1]), header: nil, axisOrder: [0, 1, 2],
        box: VoxelBox(whole: extent), extent: extent, spacingMM: [2, 1, 1])
    return PreprocessedCase(
        voxels: (0..<channels * extent.volume).map { _ in Float(draws.uniform()) },
        labels: isLabeled ? (0..<extent.volume).map { _ in Int16(draws.integer(in: -1...Int(largestLabel))) } : nil,
        channelNames: (0..<channels).map { "channel \($0)" }, record: record)
}

private let plan = Plan.fixed(channelNames: ["channel 0", "channel 1"], outputChannels: 6, patch: 32)

private let recordedFiles = ["a_0000.nii.gz", "a.nii.gz"].map { SourceFile(name: $0, bytes: 7, digest: "c") }

/// Calls `body` with a store of the cases a and b.
private func withStore(_ made: PreprocessedCase = preprocessed(), _ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
        try PreprocessedStore.create(at: folder, plan: plan)
        try PreprocessedStore.write(made, named: "a", sources: recordedFiles, to: folder)
        try PreprocessedStore.write(preprocessed(extent: 8, isLabeled: false), named: "b", sources: [], to: folder)
        try body(folder)
    }
}

@Suite struct StoreTests {
    @Test("what is written is read", arguments: [5, 300] as [Int16])
    func roundTrip(largestLabel: Int16) throws {
        let made = preprocessed(largestLabel: largestLabel)
        try withStore(made) { path in
            let store = try PreprocessedStore(opening: path)
            #expect(store.caseNames == ["a", "b"])
            #expect(store.plan == plan)
            let stored = try store.case("a")
            let whole = try stored.whole()
            #expect(whole.image == made.voxels && whole.labels == made.labels)
            #expect(stored.record.steps == made.record)
            #expect(stored.record.sources == recordedFiles)
            #expect(try stored.foreground() == ForegroundVoxels(labels: made.labels!))
            let unlabeled = try store.case("b")
            #expect(try unlabeled.whole().labels == nil && unlabeled.foreground() == nil)
        }
    }

    @Test("boxes are cut as from memory, whatever is cached", arguments: [0, 300_000, 1 << 30])
    func boxes(cacheBytes: Int) throws {
        let made = preprocessed()
        let memory = Patch(image: made.voxels, channels: 2, labels: made.labels, extent: made.extent)
        try withStore(made) { path in
            let stored = try PreprocessedStore(opening: path, cacheBytes: cacheBytes).case("a")
            var draws = Draws(seed: 2, purpose: "boxes")
            for _ in 0..<40 {
                let box = VoxelBox(
                    origin: [draws.integer(in: -20...90), draws.integer(in: -20...30), draws.integer(in: -20...100)],
                    extent: Extent3(
                        depth: draws.integer(in: 1...60), height: draws.integer(in: 1...30),
                        width: draws.integer(in: 1...70)))
                #expect(try stored.patch(in: box) == memory.patch(in: box))
            }
        }
    }

    @Test func manyThreadsMayRead() throws {
        let made = preprocessed()
        let memory = Patch(image: made.voxels, channels: 2, labels: made.labels, extent: made.extent)
        try withStore(made) { path in
            let store = try PreprocessedStore(opening: path, cacheBytes: 400_000)
            CPU(threads: 4).forEach(64) { index in
                let box = VoxelBox(
                    origin: [index, index % 7, index], extent: Extent3(depth: 20, height: 12, width: 30))
                #expect((try? store.case("a").patch(in: box)) == memory.patch(in: box))
            }
        }
    }

    @Test func labelsOfOneByteTakeOneByte() throws {
        try withStore { path in
            let metadata = try String(contentsOfFile: path + "/a/labels/zarr.json", encoding: .utf8)
            #expect(metadata.contains(#""data_type" : "int8""#) && metadata.contains(#""zarr_format" : 3"#))
        }
    }

    @Test("names that are no folder names are refused", arguments: ["", ".hidden", "a/b", "x.partial", "zarr.json"])
    func badNames(name: String) throws {
        try withStore { path in
            #expect(throws: StoreError.badName(name)) {
                try PreprocessedStore.write(preprocessed(extent: 4), named: name, sources: [], to: path)
            }
        }
    }

    @Test func anotherPlanIsRefused() throws {
        try withStore { path in
            try PreprocessedStore.create(at: path, plan: plan)
            var other = plan
            other.spacingMM = [2, 2, 2]
            #expect(throws: StoreError.otherPlan(path: path)) { try PreprocessedStore.create(at: path, plan: other) }
        }
    }

    @Test func foldersThatAreNoStoresAreRefused() throws {
        try withTemporaryFolder { folder in
            #expect(throws: StoreError.self) { try PreprocessedStore(opening: folder) }
            try "{}".write(toFile: folder + "/zarr.json", atomically: false, encoding: .utf8)
            #expect(throws: StoreError.self) { try PreprocessedStore(opening: folder) }
        }
        try withStore { path in
            #expect(throws: StoreError.noSuchCase(name: "c", path: path)) {
                try PreprocessedStore(opening: path).case("c")
            }
        }
    }

    @Test func whatAKilledProcessLeftIsNoCase() throws {
        try withStore { path in
            try FileManager.default.copyItem(atPath: path + "/a", toPath: path + "/c.partial")
            #expect(try PreprocessedStore(opening: path).caseNames == ["a", "b"])
        }
    }
}

@Suite struct DamagedStoreTests {
    private func change(_ path: String, _ body: (inout Data) -> Void) throws {
        let url = URL(fileURLWithPath: path)
        var data = try Data(contentsOf: url)
        body(&data)
        try data.write(to: url)
    }

    private func expectDamage(_ store: String, mentioning words: [String]) {
        let error = #expect(throws: StoreError.self) { try PreprocessedStore(opening: store).case("a").whole() }
        for word in words { #expect(error?.description.contains(word) == true, "\(word): \(error!)") }
        #expect(error?.exitCode == 65)
    }

    @Test("a flipped bit anywhere in a chunk is found", arguments: [0, 5, 100, 4000])
    func flippedBit(position: Int) throws {
        try withStore { path in
            try change(path + "/a/image/c/0/1/0/1") { $0[min(position, $0.count - 1)] ^= 4 }
            expectDamage(path, mentioning: ["chunk 0/1/0/1", "a/image", path])
        }
    }

    private struct Content: Equatable {
        var plan: Plan
        var image: [Float]
        var labels: [Int16]?
        var record: CaseRecord
        var foreground: ForegroundVoxels?
    }

    @Test("a flipped bit anywhere in a store is found, or carries nothing")
    func everyByte() throws {
        let made = preprocessed(extent: 8, channels: 1)
        let plan = Plan.fixed(channelNames: ["channel 0"], outputChannels: 6, patch: 32)
        try withTemporaryFolder { folder in
            try PreprocessedStore.create(at: folder, plan: plan)
            try PreprocessedStore.write(made, named: "a", sources: [recordedFiles[1]], to: folder)
            func content() throws -> Content {
                let store = try PreprocessedStore(opening: folder)
                let stored = try store.case("a")
                let whole = try stored.whole()
                return try Content(
                    plan: store.plan, image: whole.image, labels: whole.labels, record: stored.record,
                    foreground: stored.foreground())
            }
            let undamaged = try content()
            let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
            for file in files.sorted() {
                let url = URL(fileURLWithPath: "\(folder)/\(file)")
                guard let bytes = try? Data(contentsOf: url) else { continue }
                for place in stride(from: 0, to: bytes.count, by: file.hasSuffix(".json") ? 1 : 7) {
                    try change(url.path) { $0[place] ^= 1 << UInt8(place % 7) }
                    do {
                        #expect(try content() == undamaged, "byte \(place) of \(file)")
                    } catch let error as any UserFacingError {
                        #expect("\(error)".contains(folder), "\(error)")
                    }
                    try bytes.write(to: url)
                }
            }
        }
    }

    @Test func truncatedMissingSwappedAndOverlongChunksAreFound() throws {
        try withStore { path in
            let chunk = path + "/a/labels/c/1/0/0"
            let whole = try Data(contentsOf: URL(fileURLWithPath: chunk))
            try change(chunk) { $0 = $0.prefix($0.count / 2) }
            expectDamage(path, mentioning: ["chunk 1/0/0", "a/labels"])
            try change(chunk) { $0 = Data() }
            expectDamage(path, mentioning: ["chunk 1/0/0", "a/labels"])
            try change(chunk) { $0 = whole + Data(count: 1 << 20) }
            expectDamage(path, mentioning: ["too long"])
            try FileManager.default.removeItem(atPath: chunk)
            expectDamage(path, mentioning: ["missing"])
            try FileManager.default.copyItem(atPath: path + "/a/labels/c/0/0/0", toPath: chunk)
            expectDamage(path, mentioning: ["checksum"])
        }
    }

    @Test(
        "changed metadata is found",
        arguments: [
            ("zarr.json", "\"depth\" : 75", "\"depth\" : 76"), ("zarr.json", "channel 1", "channel 2"),
            ("image/zarr.json", "75", "76"), ("image/zarr.json", "75", "9223372036854775807"),
            ("image/zarr.json", "75", "-75"),
            ("image/zarr.json", "float32", "float64"), ("image/zarr.json", "zstd", "gzip"),
            ("labels/zarr.json", "little", "big"),
            ("labels/zarr.json", "{", "["), ("labels/zarr.json", "90", "0"), ("zarr.json", "}", ""),
        ])
    func changedMetadata(file: String, text: String, replacement: String) throws {
        try withStore { path in
            let name = path + "/a/" + file
            let before = try String(contentsOfFile: name, encoding: .utf8)
            #expect(before.contains(text))
            try before.replacingOccurrences(of: text, with: replacement).write(
                toFile: name, atomically: false, encoding: .utf8)
            expectDamage(path, mentioning: ["a", path])
        }
    }
}

@Suite struct StoreBuilderTests {
    @Test func buildsResumesAndReports() throws {
        try withTemporaryFolder { folder in
            let cpu = CPU(threads: 2)
            try Phantom(.hippocampus).writeDataset(to: folder + "/data", name: "made up", cases: 4, seed: 2, on: cpu)
            let dataset = try NNUNetDataset(path: folder + "/data")
            let fixed = Plan.fixed(channelNames: ["T1"], outputChannels: 3, patch: 32, network: .resEncL)
            let builder = StoreBuilder(plan: fixed, dataset: dataset)

            let half = try builder.build(Array(dataset.trainingCases.prefix(2)), at: folder + "/store", on: cpu)
            #expect(half.caseNames == ["hippocampus_0001", "hippocampus_0002"])
            let before =
                try FileManager.default.attributesOfItem(atPath: folder + "/store/hippocampus_0001")[.creationDate]
                as? Date
            let store = try builder.build(dataset.trainingCases, at: folder + "/store", on: cpu)
            #expect(store.caseNames == dataset.trainingCases.map(\.name))
            let after =
                try FileManager.default.attributesOfItem(atPath: folder + "/store/hippocampus_0001")[.creationDate]
                as? Date
            #expect(before == after, "finished cases are left alone")

            // The stored case is z-scored, on the same grid, and its labels are the file's.
            let whole = try store.case("hippocampus_0003").whole()
            let average = mean(whole.image.map(Double.init))
            #expect(abs(average) < 1e-4)
            #expect(abs(mean(whole.image.map { Double($0) * Double($0) }) - 1) < 1e-3)
            let labels = try #require(
                try dataset.readLabels(
                    dataset.trainingCases[2], on: dataset.readImage(dataset.trainingCases[2]).geometry))
            #expect(whole.labels == labels.labels)
        }
    }

    @Test func unsuitableCasesStopOrAreSkipped() throws {
        try withTemporaryFolder { folder in
            let cpu = CPU(threads: 1)
            try Phantom(.hippocampus).writeDataset(to: folder + "/data", name: "made up", cases: 3, seed: 2, on: cpu)
            let images = folder + "/data/imagesTr"
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: images + "/hippocampus_0002_0000.nii.gz"))
            let cases = try ImageFolder(path: images).cases
            var builder = StoreBuilder(plan: .fixed(channelNames: ["T1"], outputChannels: 1, patch: 32))
            #expect(throws: (any Error).self) { try builder.build(cases, at: folder + "/stopped", on: cpu) }
            builder.unsuitable = .skip
            let store = try builder.build(cases, at: folder + "/skipped", on: cpu)
            #expect(store.caseNames == ["hippocampus_0001_0000", "hippocampus_0003_0000"])
        }
    }

    @Test("a store of files that were replaced since is refused, by size or by content", arguments: [true, false])
    func replacedSource(isLonger: Bool) throws {
        try withTemporaryFolder { folder in
            let cpu = CPU(threads: 2)
            try Phantom(.hippocampus).writeDataset(to: folder + "/data", name: "made up", cases: 2, seed: 2, on: cpu)
            let dataset = try NNUNetDataset(path: folder + "/data")
            let builder = StoreBuilder(
                plan: .fixed(channelNames: ["T1"], outputChannels: 3, patch: 32), dataset: dataset)
            func build() throws { _ = try builder.build(dataset.trainingCases, at: folder + "/store", on: cpu) }
            try build()
            try build()
            let file = dataset.trainingCases[1].labelPath!
            let before = try Data(contentsOf: URL(filePath: file))
            // Written in place, and with the time of before: neither hides it.
            let time = try FileManager.default.attributesOfItem(atPath: file)[.modificationDate]!
            var changed = before
            if isLonger { changed.append(0) } else { changed[changed.count / 2] ^= 1 }
            try changed.write(to: URL(filePath: file))
            try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: file)
            let error = #expect(throws: StoreError.self) { try build() }
            #expect(error?.exitCode == 65)
            for word in [dataset.trainingCases[1].name, folder + "/store", file] {
                #expect(error?.description.contains(word) == true)
            }
            // The same content again is the same file.
            try before.write(to: URL(filePath: file))
            try build()
            // And what the message says helps: another image, and the case's folder is removed.
            let image = dataset.trainingCases[1].imagePaths[0]
            var volume = try NIfTIFile.read(image)
            volume = Volume(voxels: volume.voxels.map { $0 + 1 }, geometry: volume.geometry, header: volume.header)
            try NIfTIFile.write(volume, to: image)
            #expect(throws: StoreError.self) { try build() }
            try FileManager.default.removeItem(atPath: folder + "/store/\(dataset.trainingCases[1].name)")
            try build()
        }
    }

    @Test func anotherFileOfTheSameCaseIsNoticed() throws {
        try withTemporaryFolder { folder in
            let cpu = CPU(threads: 1)
            for (name, seed) in [("one", 1), ("two", 2)] as [(String, UInt64)] {
                try Phantom(.hippocampus).writeDataset(
                    to: "\(folder)/\(name)", name: name, cases: 1, seed: seed, on: cpu)
            }
            let plan = Plan.fixed(channelNames: ["T1"], outputChannels: 3, patch: 32)
            let datasets = try ["one", "two"].map { try NNUNetDataset(path: "\(folder)/\($0)") }
            func build(_ cases: [DatasetCase]) throws {
                _ = try StoreBuilder(plan: plan, dataset: datasets[0]).build(cases, at: folder + "/store", on: cpu)
            }
            try build(datasets[0].trainingCases)
            // Of another dataset, by the same name; and without its labels.
            #expect(throws: StoreError.self) { try build(datasets[1].trainingCases) }
            let item = datasets[0].trainingCases[0]
            let error = #expect(throws: StoreError.self) {
                try build([DatasetCase(name: item.name, imagePaths: item.imagePaths)])
            }
            #expect(error?.description.contains("\(item.name).nii.gz") == true)
            try build([item])
        }
    }

    /// Files without compression are equally long; size and time do not tell them apart.
    @Test("another folder or link in the place of the one that was read is noticed", arguments: [false, true])
    func replacedFolder(isLink: Bool) throws {
        try withTemporaryFolder { folder in
            let files = FileManager.default
            for (name, offset) in [("one", 0), ("two", 7)] as [(String, Float)] {
                try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
                let image = Volume(
                    voxels: (0..<512).map { Float($0 % 11) + offset * Float($0 % 3) },
                    geometry: Geometry(extent: 8, spacingMM: [1, 1, 1]))
                try NIfTIFile.write(image, to: "\(folder)/\(name)/a.nii")
                try files.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: "\(folder)/\(name)/a.nii")
            }
            if isLink { try files.createSymbolicLink(atPath: "\(folder)/images", withDestinationPath: "\(folder)/one") }
            let images = "\(folder)/\(isLink ? "images" : "one")"
            let builder = StoreBuilder(plan: .fixed(channelNames: ["T1"], outputChannels: 1, patch: 32))
            let item = DatasetCase(name: "a", imagePaths: [images + "/a.nii"])
            func build() throws { _ = try builder.build([item], at: folder + "/store", on: CPU(threads: 1)) }
            try build()
            try build()
            if isLink {
                try files.removeItem(atPath: images)
                try files.createSymbolicLink(atPath: images, withDestinationPath: "\(folder)/two")
            } else {
                try files.removeItem(atPath: images)
                try files.moveItem(atPath: "\(folder)/two", toPath: images)
            }
            let error = #expect(throws: StoreError.self) { try build() }
            #expect(error?.description.contains("other content than before") == true)
        }
    }

    @Test func theImageOfAPairIsASourceToo() throws {
        try withTemporaryFolder { folder in
            let image = Volume(
                voxels: (0..<512).map { Float($0) }, geometry: Geometry(extent: 8, spacingMM: [1, 1, 1]))
            try NIfTIFile.write(image, to: folder + "/a.hdr")
            #expect(NIfTIFile.files(of: folder + "/a.hdr") == ["a.hdr", "a.img"].map { "\(folder)/\($0)" })
            #expect(NIfTIFile.files(of: folder + "/a.nii.gz") == [folder + "/a.nii.gz"])
            let builder = StoreBuilder(plan: .fixed(channelNames: ["T1"], outputChannels: 1, patch: 32))
            let item = DatasetCase(name: "a", imagePaths: [folder + "/a.hdr"])
            func build() throws { _ = try builder.build([item], at: folder + "/store", on: CPU(threads: 1)) }
            try build()
            try build()
            var bytes = try Data(contentsOf: URL(filePath: folder + "/a.img"))
            bytes[100] ^= 1
            try bytes.write(to: URL(filePath: folder + "/a.img"))
            let error = #expect(throws: StoreError.self) { try build() }
            #expect(error?.description.contains("a.img") == true)
        }
    }

    @Test("whoever asks to stop is heard between the steps of a case, and finished cases stay")
    func interrupted() throws {
        struct Stop: Error {}
        try withTemporaryFolder { folder in
            let cpu = CPU(threads: 1)
            try Phantom(.hippocampus).writeDataset(to: folder + "/data", name: "made up", cases: 4, seed: 2, on: cpu)
            let dataset = try NNUNetDataset(path: folder + "/data")
            var builder = StoreBuilder(
                plan: .fixed(channelNames: ["T1"], outputChannels: 3, patch: 32), dataset: dataset)
            builder.unsuitable = .skip
            let calls = Mutex(0)
            builder.pause = {
                try calls.withLock { calls in
                    calls += 1
                    if calls == 8 { throw Stop() }
                }
            }
            #expect(throws: Stop.self) {
                _ = try builder.build(dataset.trainingCases, at: folder + "/store", on: cpu)
            }
            // Three looks at each case: the third case was stopped half-way.
            let store = try PreprocessedStore(opening: folder + "/store")
            #expect(store.caseNames == dataset.trainingCases.prefix(2).map(\.name))
            let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/store").sorted()
            #expect(names == store.caseNames + ["zarr.json"], "nothing else is left")
            builder.pause = {}
            #expect(try builder.build(dataset.trainingCases, at: folder + "/store", on: cpu).caseNames.count == 4)
        }
    }

    @Test func aStaleLockBesideWholeDataIsRemoved() throws {
        try withTemporaryFolder { folder in
            let cpu = CPU(threads: 1)
            try Phantom(.hippocampus).writeDataset(to: folder + "/data", name: "made up", cases: 1, seed: 2, on: cpu)
            let dataset = try NNUNetDataset(path: folder + "/data")
            let builder = StoreBuilder(
                plan: .fixed(channelNames: ["T1"], outputChannels: 3, patch: 32), dataset: dataset)
            let lock = folder + "/store/\(FolderLock.fileName)"
            _ = try builder.build(dataset.trainingCases, at: folder + "/store", on: cpu)
            try Data().write(to: URL(filePath: lock))
            _ = try builder.build(dataset.trainingCases, at: folder + "/store", on: cpu)
            #expect(!FileManager.default.fileExists(atPath: lock))
            // Of a living process it stays, and a whole store may be read beside it.
            let held = try FolderLock(folder + "/store")
            _ = try builder.build(dataset.trainingCases, at: folder + "/store", on: cpu)
            #expect(FileManager.default.fileExists(atPath: lock))
            withExtendedLifetime(held) {}
        }
    }
}
