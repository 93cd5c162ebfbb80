import Volumes

extension NNUNetDataset {
    /// What predictions for the dataset are judged by: its regions, or its foreground classes.
    public var structures: [Structure] {
        if let regions { return regions.map { Structure(name: $0.name, labels: Set($0.labels.map(Int.init))) } }
        return classes.filter { $0.label != 0 }.map { Structure(label: Int($0.label), name: $0.name) }
    }
}
