import ArgumentParser
import Foundation
import Segmentation
import Tensors
import Training
import WeightFiles

/// Weights named on the command line: a file, the folder of a run, which has one, or the name of published weights.
struct WeightsSource: ExpressibleByArgument {
    /// As given.
    let name: String

    init(argument: String) { name = argument }

    /// The folder of the run, if it is one.
    var run: String? {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: name, isDirectory: &isFolder)
        return exists && isFolder.boolValue ? name : nil
    }

    /// The file.
    /// - Throws: ``UnknownWeights``, `ChecksumError`, and errors of the index of published weights.
    func file() throws -> String {
        let files = FileManager.default
        if let run {
            let file = "\(run)/\(SegmentationModel.weightsName)"
            guard files.fileExists(atPath: file) else { throw UnknownWeights(name: name, isUnfinishedRun: true) }
            return file
        }
        if files.fileExists(atPath: name) { return name }
        let folder = try WeightsFolder.find()
        if let file = try folder?.file(named: name) { return file }
        throw UnknownWeights(name: name, published: folder?.names ?? [])
    }

    /// The weights.
    /// - Throws: errors of files, and of what is no file of weights.
    func read() throws -> WeightsFile { try WeightsFile.read(file()) }
}

/// Weights that are neither a file nor published.
struct UnknownWeights: UserFacingError {
    private let name: String
    private let isUnfinishedRun: Bool
    private let hint: String

    /// - Parameters:
    ///   - published: the names of published weights.
    ///   - isUnfinishedRun: whether there is a folder of this name, without weights.
    init(name: String, published: [String] = [], isUnfinishedRun: Bool = false) {
        (self.name, self.isUnfinishedRun) = (name, isUnfinishedRun)
        let place = URL(filePath: name).deletingLastPathComponent()
        let beside = (try? FileManager.default.contentsOfDirectory(atPath: place.path(percentEncoded: false))) ?? []
        let prefix = name.contains("/") ? "\(name.prefix(through: name.lastIndex(of: "/") ?? name.startIndex))" : ""
        let nearest = EditDistance.nearest(to: name, among: published + beside.map { prefix + $0 })
        hint =
            nearest.map { "Did you mean \($0)?" }
            ?? (published.isEmpty
                ? "Give a file or the folder of a run." : "Published are \(published.joined(separator: ", ")).")
    }

    var exitCode: Int32 { ExitStatus.inputOutput }
    var description: String {
        isUnfinishedRun
            ? "\(name) has no \(SegmentationModel.weightsName): it is no run, or one that is not finished (--resume)."
            : "there is no file \(name), and no published weights of that name. \(hint)"
    }
}
