import Foundation
import Tensors
import WeightFiles

extension Phantom {
    /// Writes `cases` made-up cases as a dataset in nnU-Net's raw layout, and images without labels beside them.
    ///
    /// Labeled cases have the indices from 0, unlabeled ones follow: they go to `imagesTs`, where nnU-Net expects images
    /// without labels, and can be given to pre-training as a plain folder.
    /// - Parameters:
    ///   - path: the dataset's folder; it must not exist yet.
    ///   - cpu: its threads share the cases.
    /// - Throws: ``FileError``.
    public func writeDataset(
        to path: String, name: String, cases: Int, unlabeled: Int = 0, seed: UInt64, on cpu: CPU,
        progress: @Sendable (Int) -> Void = { _ in }
    ) throws {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw FileError("create", path, reason: "it exists already; choose another folder")
        }
        try AtomicDirectory.replace(path) { folder in
            for part in ["imagesTr", "labelsTr"] + (unlabeled > 0 ? ["imagesTs"] : []) {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
            }
            _ = try cpu.mapCases(Array(0..<cases + unlabeled)) { index in
                let made = sample(seed: seed, index: index)
                let digits = String(index + 1)
                let stem = "\(kind.rawValue)_" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
                let images = index < cases ? "imagesTr" : "imagesTs"
                try NIfTIFile.write(made.image, to: "\(folder)/\(images)/\(stem)_0000.nii.gz")
                if index < cases { try NIfTIFile.write(made.labels, to: "\(folder)/labelsTr/\(stem).nii.gz") }
                progress(index)
            }
            try AtomicFile.write(
                try JSONEncoder.canonical.encode(description(name: name, cases: cases)), to: "\(folder)/dataset.json")
        }
    }

    private func description(name: String, cases: Int) -> Description {
        let channel = contrasts.count == 1 ? contrasts[0].channelName : "MR"
        return Description(
            name: name, channel_names: ["0": channel],
            labels: Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($0.element, $0.offset) }),
            numTraining: cases, file_ending: ".nii.gz")
    }

    /// The content of `dataset.json`.
    private struct Description: Codable {
        var name: String
        var channel_names: [String: String]
        var labels: [String: Int]
        var numTraining: Int
        var file_ending: String
    }
}
