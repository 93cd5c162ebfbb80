import Finetuning
import Foundation
import Segmentation
import Tensors
import Testing
import Volumes
import WeightFiles

/// `model.json` and `setup.json` carry checksums: what is not as it was written is never used.
struct CheckedFilesTests {
    private let cpu = CPU(threads: 2)

    /// What a file's reader makes of every copy with one flipped bit: an error, or what the whole file says.
    private func expectNoticed<Value: Equatable>(
        _ file: String, errors name: String, read: () throws -> Value
    ) throws {
        let (whole, value) = (try Data(contentsOf: URL(filePath: file)), try read())
        var draws = Draws(seed: 6, purpose: "test")
        var refused = 0
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 1 << UInt8(draws.integer(in: 0..<8))
            try bytes.write(to: URL(filePath: file))
            do {
                // Some bits carry nothing: an E for an e in a number.
                #expect(try read() == value, "byte \(place)")
            } catch {
                refused += 1
                #expect("\(error)".contains(name), "byte \(place): \(error)")
            }
        }
        try whole.write(to: URL(filePath: file))
        #expect(refused > whole.count * 9 / 10)
        #expect(try read() == value)
    }

    @Test func aFlippedBitIsNoticedAndNamed() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let run = try bench.run("run", weights: bench.weights)
        let model = try bench.train(run)
        try expectNoticed(bench.folder("run/model.json"), errors: "model.json") {
            try SegmentationModelCard(ofRun: bench.folder("run"))
        }
        try expectNoticed(bench.folder("run/setup.json"), errors: "setup.json") {
            try FinetuneSetup(ofRun: bench.folder("run"))
        }
        #expect(try SegmentationModelCard(ofRun: bench.folder("run")) == model.card)
        #expect(try FinetuneSetup(ofRun: bench.folder("nowhere")) == nil)
    }

    @Test func aNewerCardAndOneWithoutChecksumAreToldApart() throws {
        let folder = try TemporaryFolder()
        let card = SegmentationModelCard(
            plan: .tiny(spacingMM: [2, 2, 2]), classes: [.init(name: "background", label: 0)],
            window: SlidingWindow(patch: 16))
        try card.write(toRun: folder.path)
        let text = try String(contentsOfFile: folder("model.json"), encoding: .utf8)
        let checksum = try #require(text.firstMatch(of: #/  "checksum" : \d+,\n/#)).output
        for (changed, reason) in [
            (text.replacing("\"format\" : 2", with: "\"format\" : 3"), "newer"),
            (text.replacing(checksum, with: ""), "no checksum"),
            (text.replacing("background", with: "backgrounds"), "checksum"),
        ] {
            #expect(changed != text)
            try changed.write(toFile: folder("model.json"), atomically: true, encoding: .utf8)
            let error = #expect(throws: SegmentationError.self) { try SegmentationModelCard(ofRun: folder.path) }
            #expect(error?.description.contains(reason) == true && error?.exitCode == 65)
        }
    }

    /// The evaluation of a run tells how sure the network was, case by case, and the mean in its summary.
    @Test func anEvaluationTellsTheCalibration() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let run = try bench.run("run", weights: nil)
        let names = bench.dataset.trainingCases.suffix(2).map(\.name)
        let scores = try run.evaluate(try bench.train(run), on: names)
        let errors = try scores.cases.map { try #require($0.confidence).expectedCalibrationError }
        #expect(errors.allSatisfy { (0...1).contains($0) })
        for (item, name) in zip(scores.cases, names) {
            let profile = try #require(item.confidence)
            let reference = try NIfTIFile.readLabels(bench.folder("data/labelsTr/\(name).nii.gz"))
            let predicted = try NIfTIFile.readLabels(bench.folder("run/predictions/\(name).nii.gz"))
            let wrong = zip(reference.labels, predicted.labels).count { $0 != $1 }
            #expect(profile.overlap.wrong.reduce(0, +) == wrong)
            #expect(profile.overlap.right.reduce(0, +) == reference.labels.count - wrong)
        }
        let summary = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: bench.folder("run/summary.json"))))
                as? [String: Any])
        let calibration = try #require(summary["calibration"] as? [String: Any])
        let mean = try #require(calibration["expected_calibration_error"] as? Double)
        #expect(abs(mean - errors.reduce(0, +) / 2) < 1e-12)
        #expect((calibration["per_case"] as? [Any])?.count == 2)
    }
}
