import Foundation
import Tensors
import Testing
import Volumes
import WeightFiles

/// Whatever happens to a file, reading it ends in an error that says so or in what the file holds: no crash, no hang, no
/// memory beyond four times the file and 64 MB.
///
/// `WARMSTART_MUTATIONS=10000` is the long form; run it alone (`--filter MutationTests`), for then memory is measured.
@Suite(.serialized)
struct MutationTests {
    enum Format: String, CaseIterable {
        case pytorch, safetensors, nifti
    }

    private static let longForm = ProcessInfo.processInfo.environment["WARMSTART_MUTATIONS"].flatMap { Int($0) }

    @Test("damaged files are refused or read", arguments: Format.allCases)
    func mutations(format: Format) throws {
        let originals = try Self.originals(format)
        try #require(!originals.isEmpty)
        let folder = FileManager.default.temporaryDirectory.path + "/warmstart-mutations-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }

        for (name, content) in originals {
            try content.write(to: URL(filePath: "\(folder)/whole-\(name)"))
            #expect(try Self.isRead("\(folder)/whole-\(name)", format), "\(name) is not valid to begin with")
        }
        var (read, greatestExcess, slowest) = (0, 0, Duration.zero)
        let count = Self.longForm ?? 300
        for number in 0..<count {
            var mutator = Mutator(number: number)
            let (name, content) = originals[mutator.choice(of: originals.count)]
            let path = "\(folder)/\(name)"
            // Checksums would hide most of the reader from damage: every other time the pickle gets a new one.
            let damaged = (number % 2 == 0 ? nil : mutator.damagedPickle(content)) ?? mutator.damaged(content)
            try damaged.write(to: URL(filePath: path))
            let before = Self.resetPeak()
            let time = try ContinuousClock().measure { if try Self.isRead(path, format) { read += 1 } }
            let memory = Self.status("VmHWM") - before
            slowest = max(slowest, time)
            greatestExcess = max(greatestExcess, memory - 4 * damaged.count)
            #expect(time < .seconds(20), "mutation \(number) of \(name)")
            if Self.longForm != nil {
                #expect(memory <= 4 * damaged.count + (64 << 20), "mutation \(number) of \(name)")
            }
        }
        if Self.longForm != nil {
            print(
                "\(format.rawValue): \(count) mutations of \(originals.count) files, \(read) read, \(count - read) refused, "
                    + "at most \(greatestExcess >> 10) kB beyond four times the file, slowest \(slowest)")
        }
    }

    /// The valid files of the oracle's sets, and those that all checkouts have.
    private static func originals(_ format: Format) throws -> [(name: String, content: Data)] {
        let isNIfTI = format == .nifti
        var paths = try ConformanceTests.cases.filter { oracle in
            guard oracle.op == (isNIfTI ? "nifti" : "checkpoint"), try oracle.params.string("expect") == "ok" else {
                return false
            }
            return try format != .safetensors && !oracle.path().hasSuffix(".hdr")
        }.map { try $0.path() }
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures").path(percentEncoded: false)
        switch format {
        case .pytorch: paths += ["legacy.pt", "deflated.pth", "zip64.pth"].map { "\(fixtures)/checkpoints/\($0)" }
        case .safetensors:
            let tensors = ["a": StoredTensor([1, 2, 3] as [Float], shape: [3]), "b": StoredTensor(scalar: Int64(1))]
            let path = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString).safetensors"
            try SafetensorsFile.write(tensors, metadata: ["c": "d"], to: path)
            defer { try? FileManager.default.removeItem(atPath: path) }
            return [("small.safetensors", try Data(contentsOf: URL(filePath: path)))]
        case .nifti: break
        }
        return try paths.map { (URL(filePath: $0).lastPathComponent, try Data(contentsOf: URL(filePath: $0))) }
    }

    /// Reads a file and all its numbers; false if it is refused as a damaged file should be.
    private static func isRead(_ path: String, _ format: Format) throws -> Bool {
        do {
            switch format {
            case .nifti: _ = try NIfTIFile.read(path)
            case .pytorch, .safetensors:
                let file = try WeightsFile.read(path)
                _ = (file.plan, file.card, file.weights.disagreeingNames)
                for tensor in file.weights.tensors.values { _ = tensor.doubles() }
            }
            return true
        } catch is PyTorchError {
            return false
        } catch is SafetensorsError {
            return false
        } catch is NIfTIError {
            return false
        }
    }

    /// Forgets the largest memory so far; returns the present one in bytes.
    private static func resetPeak() -> Int {
        if let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") {
            try? file.write(contentsOf: Data("5".utf8))
            try? file.close()
        }
        return status("VmRSS")
    }

    /// A figure of this process in bytes.
    private static func status(_ key: String) -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(key):") }
        return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 } ?? 0
    }
}
