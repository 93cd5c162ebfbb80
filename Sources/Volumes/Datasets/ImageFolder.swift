import Foundation

/// A plain folder of NIfTI images, its subfolders included: one case for each file.
public struct ImageFolder: Sendable {
    /// The folder.
    public let path: String
    /// The cases, sorted by name: the path below the folder without the file name ending, `/` turned into `__`.
    public let cases: [DatasetCase]

    /// Lists the folder. Files are not opened. Hidden files and folders are skipped.
    ///
    /// - Throws: ``DatasetError`` if there are no images or two of them have the same name.
    public init(path: String) throws {
        self.path = path
        guard let files = FileManager.default.enumerator(atPath: path)?.compactMap({ $0 as? String }) else {
            throw DatasetError.noImages(folder: path)
        }
        var found: [String: DatasetCase] = [:]
        for file in files.sorted() where !file.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
            guard let stem = NIfTIFile.stem(of: file) else { continue }
            let name = stem.replacingOccurrences(of: "/", with: "__")
            let image = DatasetCase(name: name, imagePaths: ["\(path)/\(file)"])
            if let other = found.updateValue(image, forKey: name) {
                throw DatasetError.duplicateName(case: name, first: other.imagePaths[0], second: image.imagePaths[0])
            }
        }
        guard !found.isEmpty else { throw DatasetError.noImages(folder: path) }
        cases = found.values.sorted { $0.name < $1.name }
    }
}

extension NIfTIFile {
    /// A file name without the ending of a NIfTI file; nil for other files.
    static func stem(of file: String) -> String? {
        let lowercased = file.lowercased()
        return suffixes.first { lowercased.hasSuffix($0) }.map { String(file.dropLast($0.count)) }
    }
}
