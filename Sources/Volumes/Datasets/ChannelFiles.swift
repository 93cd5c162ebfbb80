import Foundation

/// Images in nnU-Net's naming: `NAME_0000.nii.gz` is the first channel of a case, `NAME_0001.nii.gz` the next.
public enum ChannelFiles {
    /// The cases of a folder, sorted by name; each has all channels. There may be none.
    /// - Parameters:
    ///   - fileEnding: for example `.nii.gz`; other files are not looked at.
    ///   - channels: how many channels each case must have.
    /// - Throws: ``DatasetError`` naming the badly named file or the missing channel.
    public static func cases(in folder: String, fileEnding: String, channels: Int) throws -> [DatasetCase] {
        var found: [String: Set<Int>] = [:]
        for file in list(folder, fileEnding) {
            let stem = file.dropLast(fileEnding.count)
            guard let underscore = stem.lastIndex(of: "_"), underscore > stem.startIndex,
                stem.distance(from: underscore, to: stem.endIndex) == 5,
                let channel = Int(stem[underscore...].dropFirst())
            else { throw DatasetError.badFileName(path: "\(folder)/\(file)", expected: "NAME_0000\(fileEnding)") }
            guard channel < channels else {
                throw DatasetError.badFileName(
                    path: "\(folder)/\(file)", expected: "one of \(channels) channels, counted from 0000")
            }
            found[String(stem[..<underscore]), default: []].insert(channel)
        }
        return try found.sorted { $0.key < $1.key }.map { name, present in
            let paths = (0..<channels).map { channel in
                let digits = String(channel)
                return "\(folder)/\(name)_\(String(repeating: "0", count: 4 - digits.count))\(digits)\(fileEnding)"
            }
            if let missing = paths.indices.first(where: { !present.contains($0) }) {
                throw DatasetError.missingChannel(case: name, path: paths[missing])
            }
            return DatasetCase(name: name, imagePaths: paths)
        }
    }

    /// The cases of a folder to predict, whichever of the endings of NIfTI files they have.
    /// - Throws: ``DatasetError``, also for a folder without images.
    public static func cases(in folder: String, channels: Int) throws -> [DatasetCase] {
        for ending in [".nii.gz", ".nii"] where !list(folder, ending).isEmpty {
            return try cases(in: folder, fileEnding: ending, channels: channels)
        }
        throw DatasetError.noImages(folder: folder)
    }

    /// The visible files of a folder with an ending; none if there is no such folder.
    static func list(_ folder: String, _ ending: String) -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }.sorted()
    }
}
