import Finetuning
import Foundation
import Segmentation
import Training
import Volumes
import WeightFiles

/// Reads all that a folder or file holds and compares it with the checksums that were recorded when it was written.
///
/// Nothing is locked: a run may go on beside it.
public struct Verification {
    /// The checkpoints, weights files, stored cases, predictions, cards and results that are as they were written.
    public private(set) var intact = 0

    /// Verifies a run, a store, a comparison, or a folder that holds some of these; or a file of weights or an image.
    /// - Throws: the error of the first thing that is damaged; it names the file.
    public init(of path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw FileError("read", path)
        }
        try isFolder.boolValue ? verify(folder: path) : verify(file: path)
    }

    private mutating func verify(folder: String) throws {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            throw FileError("read", folder, error)
        }
        if names.contains("zarr.json") {
            let store = try PreprocessedStore(opening: folder, cacheBytes: 0)
            for name in store.caseNames { try store.case(name).verify() }
            intact += store.caseNames.count
            return
        }
        for name in names where !name.hasPrefix(".") && !name.hasSuffix(".partial") && !name.hasSuffix(".previous") {
            let path = "\(folder)/\(name)"
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            if isFolder.boolValue && name == "checkpoint" {
                try RunDirectory.verifyCheckpoint(path)
                intact += 1
            } else {
                try isFolder.boolValue ? verify(folder: path) : verify(file: path)
            }
        }
    }

    private mutating func verify(file: String) throws {
        if file.hasSuffix(".safetensors") || file.hasSuffix(".pth") || file.hasSuffix(".pt") {
            _ = try WeightsFile.read(file)
        } else if NIfTIFile.suffixes.contains(where: file.hasSuffix) {
            _ = try NIfTIFile.read(file)
        } else {
            let (folder, name) = ((file as NSString).deletingLastPathComponent, (file as NSString).lastPathComponent)
            switch name {
            case SegmentationModelCard.fileName: _ = try SegmentationModelCard(ofRun: folder)
            case FinetuneSetup.fileName: _ = try FinetuneSetup(ofRun: folder)
            default: guard try CellStore.verify(file) else { return }
            }
        }
        intact += 1
    }
}
