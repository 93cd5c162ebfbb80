import Foundation
import Tensors
import Testing
import Volumes

@Suite struct NIfTIReadingTests {
    @Test("voxels are read in array order, with width along the file's first axis", arguments: [false, true])
    func arrayOrder(isBigEndian: Bool) throws {
        try withFolder { folder in
            try write(HandmadeNIfTI(dimensions: [4, 3, 2], isBigEndian: isBigEndian).bytes, to: "\(folder)/a.nii")
            let volume = try NIfTIFile.read("\(folder)/a.nii")
            #expect(volume.extent == Extent3(depth: 2, height: 3, width: 4))
            #expect(volume.channels == 1)
            #expect(volume.voxels == (0..<24).map { Float($0) })
            #expect(volume.header?.affineSource == .sform)
            #expect(volume.affine.originMM == SIMD3(90.5, -126.25, -72.75))
            #expect(abs(volume.affine(SIMD3(1, 2, 0)).x - (90.5 - 0.79 + 2 * 0.1)) < 1e-6)
        }
    }

    @Test("a fourth axis becomes channels")
    func channels() throws {
        try withFolder { folder in
            try write(HandmadeNIfTI(dimensions: [4, 3, 2, 5]).bytes, to: "\(folder)/a.nii")
            let volume = try NIfTIFile.read("\(folder)/a.nii")
            #expect(volume.channelNames == ["0", "1", "2", "3", "4"])
            #expect(Array(volume.channel(1)) == (24..<48).map { Float($0) })
        }
    }

    @Test("metres and micrometres are converted", arguments: [(UInt8(1), 1000.0), (3, 0.001), (0, 1)])
    func units(code: UInt8, factor: Double) throws {
        var file = HandmadeNIfTI(dimensions: [4, 3, 2])
        file.set(254, integer: 0, size: 2)
        file.header[123] = code
        try withFolder { folder in
            try write(file.bytes, to: "\(folder)/a.nii")
            let spacing = try NIfTIFile.read("\(folder)/a.nii").spacingMM
            for (found, stored) in zip(spacing, [3, 1.25, 0.8]) { #expect(abs(found / factor - stored) < 1e-5) }
        }
    }

    @Test("scaling and its absence", arguments: [(Float(2), Float(-3), Float(17)), (0, 7, 10), (.nan, 7, 10)])
    func scaling(slope: Float, intercept: Float, tenth: Float) throws {
        var file = HandmadeNIfTI(dimensions: [4, 3, 2])
        file.set(112, float: slope)
        file.set(116, float: intercept)
        try withFolder { folder in
            try write(file.bytes, to: "\(folder)/a.nii")
            #expect(try NIfTIFile.read("\(folder)/a.nii").voxels[10] == tenth)
        }
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        let kind: NIfTIError.Kind
        let testDescription: String
        let change: @Sendable (inout HandmadeNIfTI) -> Void
        init(
            _ kind: NIfTIError.Kind, _ description: String, _ change: @escaping @Sendable (inout HandmadeNIfTI) -> Void
        ) {
            (self.kind, testDescription, self.change) = (kind, description, change)
        }

        static let all = [
            Damage(.badMagic, "header size") { $0.set(0, integer: 349, size: 4) },
            Damage(.badMagic, "magic") { $0.header[344] = 0 },
            Damage(.badMagic, "voxels elsewhere") { $0.header[345] = UInt8(ascii: "i") },
            Damage(.badDimensions, "no axes") { $0.set(40, integer: 0, size: 2) },
            Damage(.badDimensions, "eight axes") { $0.set(40, integer: 8, size: 2) },
            Damage(.badDimensions, "negative size") { $0.set(44, integer: -3, size: 2) },
            Damage(.badDimensions, "five axes") {
                $0.set(40, integer: 5, size: 2)
                $0.set(50, integer: 3, size: 2)
            },
            Damage(.truncated, "more voxels than bytes") { $0.set(46, integer: 3, size: 2) },
            Damage(.truncated, "far more voxels than bytes") {
                for axis in 1...3 { $0.set(40 + 2 * axis, integer: 32767, size: 2) }
            },
            Damage(.unsupportedType, "colours") { $0.set(70, integer: 128, size: 2) },
            Damage(.unsupportedType, "wrong bits") { $0.set(72, integer: 8, size: 2) },
            Damage(.badOffset, "offset in header") { $0.set(108, float: 100) },
            Damage(.badOffset, "offset behind end") { $0.set(108, float: 1e6) },
            Damage(.badOffset, "offset nan") { $0.set(108, float: .nan) },
            Damage(.badOffset, "offset half") { $0.set(108, float: 352.5) },
            Damage(.badAffine, "sform singular") { for index in 0..<4 { $0.set(280 + 4 * index, float: 0) } },
            Damage(.badAffine, "sform nan") { $0.set(284, float: .nan) },
            Damage(.badAffine, "qform no rotation") {
                $0.set(254, integer: 0, size: 2)
                $0.set(256, float: 1.5)
            },
            Damage(.badSpacing, "no voxel size") {
                $0.set(254, integer: 0, size: 2)
                $0.set(80, float: 0)
            },
            Damage(.badSpacing, "voxels of kilometres") { file in
                for row in 0..<3 { file.set(280 + 20 * row, float: 1e20) }
            },
            Damage(.badScaling, "infinite slope") { $0.set(112, float: .infinity) },
        ]
    }

    @Test("each damage has its error, which names the file", arguments: Damage.all)
    func damage(_ damage: Damage) throws {
        var file = HandmadeNIfTI(dimensions: [4, 3, 2])
        damage.change(&file)
        try withFolder { folder in
            try write(file.bytes, to: "\(folder)/broken.nii")
            let error = #expect(throws: NIfTIError.self) { try NIfTIFile.read("\(folder)/broken.nii") }
            #expect(error?.kind == damage.kind)
            #expect(error?.description.contains("broken.nii") == true)
            #expect(error?.exitCode == 65)
        }
    }

    @Test("every shortened file is refused, compressed or not")
    func truncation() throws {
        try withFolder { folder in
            let volume = Volume(
                voxels: (0..<60).map { sin(Float($0)) },
                geometry: Geometry(extent: Extent3(depth: 3, height: 4, width: 5), spacingMM: [3, 2, 1]))
            for name in ["a.nii", "a.nii.gz"] {
                try NIfTIFile.write(volume, to: "\(folder)/\(name)")
                let whole = try contents(of: "\(folder)/\(name)")
                for length in stride(from: 0, to: whole.count, by: 7) {
                    try write(Array(whole[..<length]), to: "\(folder)/short_\(name)")
                    let error = #expect(throws: NIfTIError.self) { try NIfTIFile.read("\(folder)/short_\(name)") }
                    #expect(error?.kind == .truncated, "\(length) of \(whole.count) bytes of \(name)")
                }
            }
        }
    }

    @Test("headers with random bytes are read or refused with a typed error")
    func fuzzedHeaders() throws {
        try withFolder { folder in
            var draws = Draws(seed: 5, purpose: "fuzz")
            var refused = 0
            for _ in 0..<1000 {
                var file = HandmadeNIfTI(dimensions: [4, 3, 2])
                for _ in 0..<draws.integer(in: 1...4) {
                    file.header[draws.integer(in: 0..<352)] = UInt8(draws.integer(in: 0...255))
                }
                try write(file.bytes, to: "\(folder)/fuzzed.nii")
                do {
                    let volume = try NIfTIFile.read("\(folder)/fuzzed.nii")
                    #expect(volume.voxels.count == volume.extent.volume * volume.channels)
                } catch is NIfTIError {
                    refused += 1
                }
            }
            #expect((100..<900).contains(refused))
        }
    }

    @Test("damaged gzip streams are refused or read, never worse")
    func fuzzedStreams() throws {
        try withFolder { folder in
            let volume = Volume(
                voxels: (0..<6000).map { sin(Float($0)) },
                geometry: Geometry(extent: Extent3(dimensions: [10, 20, 30]), spacingMM: [1, 1, 1]))
            try NIfTIFile.write(volume, to: "\(folder)/a.nii.gz")
            let whole = try contents(of: "\(folder)/a.nii.gz")
            var draws = Draws(seed: 6, purpose: "fuzz")
            for _ in 0..<300 {
                var damaged = whole
                damaged[draws.integer(in: 0..<whole.count)] ^= UInt8(draws.integer(in: 1...255))
                try write(damaged, to: "\(folder)/fuzzed.nii.gz")
                do {
                    let read = try NIfTIFile.read("\(folder)/fuzzed.nii.gz")
                    // Only what the checksum does not cover may differ: the header of the gzip stream.
                    #expect(read.voxels == volume.voxels)
                } catch is NIfTIError {}
            }
        }
    }

    @Test("a file may lie about its size without costing memory")
    func announcedSize() async {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                // 64 MB of zeros, behind a header that announces 256 MB, 32 GB or 108 TB.
                let zeros = Volume(
                    voxels: [Float](repeating: 0, count: 1 << 24),
                    geometry: Geometry(extent: 256, spacingMM: [1, 1, 1]))
                try NIfTIFile.write(zeros, to: "\(folder)/zeros.nii.gz")
                let compressed = try contents(of: "\(folder)/zeros.nii.gz")
                let limit = try peakBytes() + 32 << 20
                for edge in [400, 2000, 30_000] {
                    var liar = HandmadeNIfTI(dimensions: [edge, edge, edge], voxels: [])
                    liar.set(70, integer: 16, size: 2)
                    liar.set(72, integer: 32, size: 2)
                    try write(gzipMember(storing: liar.bytes) + compressed, to: "\(folder)/liar.nii.gz")
                    let error = #expect(throws: NIfTIError.self) { try NIfTIFile.read("\(folder)/liar.nii.gz") }
                    check(error?.kind == .truncated, "refused as truncated")
                }
                let peak = try peakBytes()
                // Still held, so that its memory cannot hide what reading took.
                withExtendedLifetime(zeros) { check(peak < limit, "memory stays small") }
            }
        }
    }

    @Test("labels are whole numbers")
    func labels() throws {
        try withFolder { folder in
            let geometry = Geometry(extent: 2, spacingMM: [1, 1, 1])
            var voxels: [Float] = [0, 1, 2, -1, 300, 5, 6, 7]
            try NIfTIFile.write(Volume(voxels: voxels, geometry: geometry), to: "\(folder)/a.nii")
            #expect(try NIfTIFile.readLabels("\(folder)/a.nii").labels == [0, 1, 2, -1, 300, 5, 6, 7])
            for wrong: Float in [1.5, 40_000, .nan, .infinity] {
                voxels[5] = wrong
                try NIfTIFile.write(Volume(voxels: voxels, geometry: geometry), to: "\(folder)/a.nii")
                let error = #expect(throws: NIfTIError.self) { try NIfTIFile.readLabels("\(folder)/a.nii") }
                #expect(error?.kind == .notLabels)
                #expect(error?.description.contains("(1, 0, 1)") == true)
            }
        }
    }

    @Test("missing files and missing halves of a pair are named")
    func missing() throws {
        try withFolder { folder in
            let absent = #expect(throws: NIfTIError.self) { try NIfTIFile.read("\(folder)/absent.nii") }
            #expect(absent?.exitCode == 74)
            #expect(throws: NIfTIError.self) { try NIfTIFile.read(folder) }
            #expect(mkfifo("\(folder)/pipe.nii", 0o600) == 0)
            #expect(throws: NIfTIError.self) { try NIfTIFile.read("\(folder)/pipe.nii") }
            let volume = Volume(voxels: [1, 2, 3, 4, 5, 6, 7, 8], geometry: Geometry(extent: 2, spacingMM: [1, 1, 1]))
            try NIfTIFile.write(volume, to: "\(folder)/pair.hdr")
            #expect(try NIfTIFile.read("\(folder)/pair.img").voxels == volume.voxels)
            try FileManager.default.removeItem(atPath: "\(folder)/pair.img")
            let half = #expect(throws: NIfTIError.self) { try NIfTIFile.read("\(folder)/pair.hdr") }
            #expect(half?.kind == .missingImage)
        }
    }
}

/// The most memory that this process ever held.
private func peakBytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.split(separator: " ").dropLast().last?.filter(\.isNumber) ?? "")) * 1024
}

/// A gzip stream that holds `bytes` uncompressed.
private func gzipMember(storing bytes: [UInt8]) -> [UInt8] {
    func little(_ value: UInt32, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * UInt32($0)) & 255) } }
    let checksum = ~bytes.reduce(~UInt32(0)) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { rest, _ in rest >> 1 ^ (rest & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    let size = UInt32(bytes.count)
    return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1] + little(size, 2) + little(~size, 2) + bytes + little(checksum, 4)
        + little(size, 4)
}
