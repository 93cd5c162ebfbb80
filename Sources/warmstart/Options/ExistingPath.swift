import ArgumentParser
import Foundation
import WeightFiles

/// A file or folder named on the command line that must exist before a command starts.
struct ExistingPath: ExpressibleByArgument {
    /// The path as given.
    let path: String

    init(argument: String) { path = argument }

    var defaultValueDescription: String { path }

    /// The path.
    /// - Throws: `FileError` if nothing is there.
    func required() throws -> String {
        guard FileManager.default.fileExists(atPath: path) else { throw FileError("find", path, code: ENOENT) }
        return path
    }

    /// The path of a folder.
    /// - Throws: `FileError` if nothing is there, or a file.
    func requiredFolder() throws -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw FileError("find", path, code: ENOENT)
        }
        guard isFolder.boolValue else { throw FileError("open", path, code: ENOTDIR) }
        return path
    }
}
