/// An entry of `labels` in `dataset.json`.
struct NamedLabels {
    let name: String
    let labels: [Int16]
}

/// The regions of a dataset whose structures overlap, as nnU-Net's `dataset.json` gives them: lists of labels, and in
/// `regions_class_order` the label that is written for each, in the order of painting.
struct LabelRegions {
    /// What is wrong with the description.
    struct Mistake: Error {
        let problem: String
    }

    let regions: [NNUNetDataset.LabelRegion]

    /// The regions; nil if every structure is one label.
    /// - Parameter structures: without the ignored label, in the order of the file, which `writtenLabels` follows.
    init?(_ structures: [NamedLabels], writtenLabels: [Int]?) throws(Mistake) {
        guard structures.contains(where: { $0.labels.count > 1 }) else { return nil }
        let foreground = structures.filter { $0.labels != [0] }
        guard let writtenLabels else {
            throw Mistake(
                problem: "has regions of several labels but no regions_class_order; "
                    + "list the label to write for each region, in the order of painting")
        }
        guard writtenLabels.count == foreground.count else {
            throw Mistake(
                problem: "has \(foreground.count) regions, but regions_class_order lists \(writtenLabels.count) labels")
        }
        let known = Set(foreground.flatMap(\.labels))
        var regions: [NNUNetDataset.LabelRegion] = []
        for (region, written) in zip(foreground, writtenLabels) {
            guard let label = Int16(exactly: written), known.contains(label) else {
                throw Mistake(problem: "regions_class_order has the label \(written), which belongs to no region")
            }
            regions.append(NNUNetDataset.LabelRegion(name: region.name, labels: region.labels, writtenLabel: label))
        }
        self.regions = regions
    }
}
