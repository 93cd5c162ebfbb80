import Evaluation
import Training
import Volumes

/// One slice of a test case: the reference, then each initialization's prediction, over the image.
struct CaseSlices {
    /// The case.
    let name: String
    /// The slice that is shown, counted from 0, and the number of slices.
    let slice: Int
    let slices: Int
    /// What each picture shows, and the picture.
    let pictures: [(caption: String, picture: Picture)]

    /// Draws the slice in which the predictions differ most from the reference; nil for a case without image.
    /// - Parameter predictions: names, and the folders that hold `NAME.nii.gz`.
    /// - Throws: errors of files.
    init?(of name: String, dataset: NNUNetDataset, predictions: [(name: String, folder: String)]) throws {
        guard let files = dataset.trainingCases.first(where: { $0.name == name }), let labelPath = files.labelPath
        else { return nil }
        let reference = try NIfTIFile.readLabels(labelPath)
        let image = try dataset.readImage(files)
        let predicted = try predictions.map { try NIfTIFile.readLabels("\($0.folder)/\(name).nii.gz").labels }
        let (extent, area) = (reference.extent, reference.extent.height * reference.extent.width)
        guard image.extent == extent, predicted.allSatisfy({ $0.count == extent.volume }) else { return nil }
        let errors = (0..<extent.depth).map { depth in
            predicted.reduce(0) { sum, labels in
                sum + (depth * area..<(depth + 1) * area).count { labels[$0] != reference.labels[$0] }
            }
        }
        let chosen = errors.indices.max { (errors[$0], $1) < (errors[$1], $0) } ?? 0
        let range = chosen * area..<(chosen + 1) * area
        let overlay = SliceOverlay(
            image: Array(image.voxels[range]), rows: extent.height, columns: extent.width,
            spacingMM: (reference.spacingMM[1], reference.spacingMM[2]),
            around: ([reference.labels] + predicted).map { Array($0[range]) })
        let truth = Array(reference.labels[range])
        self.name = name
        (slice, slices) = (chosen, extent.depth)
        pictures =
            [("reference", overlay.picture(filling: truth, outlining: truth))]
            + zip(predictions, predicted).map {
                ($0.name, overlay.picture(filling: Array($1[range]), outlining: truth))
            }
    }
}
