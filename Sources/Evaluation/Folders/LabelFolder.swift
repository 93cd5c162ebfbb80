import Foundation
import Volumes

/// The NIfTI files of a folder, by case.
struct LabelFolder {
    /// The path of each case's file, by the file's name without its ending.
    let files: [String: String]

    /// Lists the folder at `path`, without its subfolders.
    /// - Throws: ``EvaluationError`` if the folder cannot be read or two files have the same name but for the ending.
    init(_ path: String) throws {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw EvaluationError.unreadableFolder(path, reason: error.localizedDescription)
        }
        var files: [String: String] = [:]
        for name in names where !name.hasPrefix(".") {
            guard let ending = NIfTIFile.suffixes.first(where: name.hasSuffix) else { continue }
            let file = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
            if let other = files.updateValue(file, forKey: String(name.dropLast(ending.count))) {
                throw EvaluationError.ambiguousCase(
                    name: String(name.dropLast(ending.count)), first: other, second: file)
            }
        }
        self.files = files
    }
}
