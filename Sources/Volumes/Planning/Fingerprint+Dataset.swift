import Tensors

extension Fingerprint {
    /// Reads the training cases of a dataset, several at once, and takes their fingerprint.
    ///
    /// - Parameter progress: called with each finished case's name, on any thread.
    /// - Throws: ``NIfTIError``, ``DatasetError``.
    public init(
        of dataset: NNUNetDataset, on cpu: CPU, progress: @Sendable (String) -> Void = { _ in }
    ) throws {
        let cases = dataset.trainingCases
        guard !cases.isEmpty else { throw DatasetError.noImages(folder: dataset.path + "/imagesTr") }
        self.init(
            try cpu.mapCases(cases) { source in
                let image = try dataset.readImage(source)
                let labels = try dataset.readLabels(source, on: image.geometry)
                let box = NonzeroRegion(voxels: image.voxels, extent: image.extent, on: cpu).box
                let cropped = Volume(
                    voxels: box.cropped(image.voxels, from: image.extent), channelNames: image.channelNames,
                    geometry: image.geometry.cropped(to: box))
                defer { progress(source.name) }
                return CaseFingerprint(
                    name: source.name, image: cropped,
                    labels: labels.map { box.cropped($0.labels, from: image.extent) },
                    voxelsBeforeCropping: image.extent.volume, caseCount: cases.count)
            })
    }
}
