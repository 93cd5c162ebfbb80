import Foundation
import Segmentation
import Volumes
import WeightFiles

extension FinetuneRun {
    /// The cases that this run must not learn from: those it validates on and those it will be tested on.
    var hiddenCases: [String] { validationCases + heldOutCases }

    /// The images without labels that the recipe names. None of them is a case to validate or to test on, neither by name
    /// nor by content.
    /// - Throws: ``FinetuneError`` for such an image, and for a folder without any; errors of files.
    func unlabeledCases() throws -> [DatasetCase] {
        let found: [DatasetCase]
        switch recipe.unlabeled {
        case .none: return []
        case .restOfDataset:
            let used = Set(trainingCases + hiddenCases)
            return dataset.trainingCases.filter { !used.contains($0.name) }
                .map { DatasetCase(name: $0.name, imagePaths: $0.imagePaths) }
        case .folder(let folder): found = try Self.images(in: folder, channels: dataset.channelNames.count)
        }
        try refuseHidden(found)
        return found
    }

    /// Files named as nnU-Net names them, or any NIfTI files where an image is one file.
    private static func images(in folder: String, channels: Int) throws -> [DatasetCase] {
        do {
            return try ChannelFiles.cases(in: folder, channels: channels)
        } catch let error as DatasetError {
            guard channels == 1, case .badFileName = error else { throw error }
            return try ImageFolder(path: folder).cases
        }
    }

    /// Images are compared voxel by voxel, whatever their files are called, where their grids have equal sizes.
    private func refuseHidden(_ images: [DatasetCase]) throws {
        let hidden = try hiddenCases.map(dataset.labeledCase)
        let names = Set(hidden.map(\.name))
        if let known = images.first(where: { names.contains($0.name) }) {
            throw FinetuneError.hiddenImage(file: known.imagePaths[0], case: known.name)
        }
        func extent(_ image: DatasetCase) throws -> [Int] {
            try NIfTIFile.readHeader(image.imagePaths[0]).geometry.extent.dimensions
        }
        func digest(_ image: DatasetCase) throws -> String {
            let voxels = try NIfTIFile.read(image.imagePaths[0]).voxels
            return voxels.withUnsafeBytes { ContentDigest.of(Data($0)) }
        }
        let bySize = Dictionary(grouping: try hidden.map { (try extent($0), $0) }, by: \.0)
        var digests: [[Int]: [String: String]] = [:]
        for image in images {
            let size = try extent(image)
            guard let rivals = bySize[size] else { continue }
            if digests[size] == nil {
                digests[size] = Dictionary(
                    try rivals.map { (try digest($0.1), $0.1.name) }, uniquingKeysWith: { first, _ in first })
            }
            if let name = digests[size]?[try digest(image)] {
                throw FinetuneError.hiddenImage(file: image.imagePaths[0], case: name)
            }
        }
    }
}
