import ArgumentParser
import Foundation
import WeightFiles

/// A file of weights, or the folder of a run, which has one.
struct WeightsSource: ExpressibleByArgument {
    let path: ExistingPath

    init(argument: String) { path = ExistingPath(argument: argument) }

    /// The folder of the run, if it is one.
    var run: String? {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder)
        return exists && isFolder.boolValue ? path.path : nil
    }

    /// The weights.
    /// - Throws: errors of files, and of what is no file of weights.
    func read() throws -> WeightsFile {
        let path = try path.required()
        return try WeightsFile.read(run.map { "\($0)/weights.safetensors" } ?? path)
    }
}
