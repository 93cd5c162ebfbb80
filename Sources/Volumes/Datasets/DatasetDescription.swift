import Foundation

/// The content of a `dataset.json`, checked. Both spellings are understood: nnU-Net's (`channel_names`, labels by name)
/// and the Medical Segmentation Decathlon's (`modality`, names by label).
struct DatasetDescription {
    let name: String?
    let channelNames: [String]
    let classes: [NNUNetDataset.LabelClass]
    let regions: [NNUNetDataset.LabelRegion]?
    let ignoreLabel: Int16?
    let fileEnding: String

    /// - Parameter needsLabels: whether the labels of voxels must be there; else nobody looks at them.
    init(path: String, needsLabels: Bool = true) throws {
        func wrong(_ problem: String) -> DatasetError { .badDescription(path: path, problem: problem) }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw wrong("cannot be read; an nnU-Net dataset has a dataset.json beside imagesTr")
        }
        guard let json = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
            throw wrong("is not a JSON object; correct its syntax")
        }
        name = json["name"] as? String
        fileEnding = json["file_ending"] as? String ?? ".nii.gz"
        guard [".nii.gz", ".nii"].contains(fileEnding) else {
            throw wrong("file_ending '\(fileEnding)' is not supported; convert the images to .nii.gz")
        }
        guard let channels = json["channel_names"] as? [String: Any] ?? json["modality"] as? [String: Any],
            !channels.isEmpty
        else { throw wrong(#"channel_names is missing; expected for example {"0": "CT"}"#) }
        channelNames = try (0..<channels.count).map { index in
            guard let name = channels[String(index)] as? String else {
                throw wrong(#"channel_names has no name for "\#(index)"; number the channels from "0" on"#)
            }
            return name
        }
        guard needsLabels else {
            (classes, regions, ignoreLabel) = ([], nil, nil)
            return
        }
        guard let labels = json["labels"] as? [String: Any], !labels.isEmpty else {
            throw wrong(#"labels is missing; expected for example {"background": 0, "liver": 1}"#)
        }
        let named = try labels.map { key, value in
            guard let labels = Self.labels(key, value) else {
                throw wrong(
                    "label '\(key)' is \(value); expected a whole number from 0 to 32767, or a list of them for a region"
                )
            }
            return labels
        }
        ignoreLabel = named.first { $0.name == "ignore" }?.labels.first
        let structures = Self.inFileOrder(
            named.filter { $0.name != "ignore" }, text: String(decoding: data, as: UTF8.self))
        do {
            regions = try LabelRegions(structures, writtenLabels: json["regions_class_order"] as? [Int])?.regions
        } catch {
            throw wrong(error.problem)
        }
        classes = Self.classes(structures)
        if let twice = zip(classes, classes.dropFirst()).first(where: { $0.label == $1.label }) {
            throw wrong("labels '\(twice.0.name)' and '\(twice.1.name)' are both \(twice.0.label)")
        }
        guard classes.map(\.label) == (0..<Int16(classes.count)).map(\.self) else {
            throw wrong("labels are \(classes.map(\.label)); number them 0 (background), 1, 2, ... without gaps")
        }
    }

    /// A class from `"liver": 1` or the older `"1": "liver"`, a region from `"tumor": [1, 2]`.
    private static func labels(_ key: String, _ value: Any) -> NamedLabels? {
        func label(_ number: Int) -> Int16? { Int16(exactly: number).flatMap { $0 >= 0 ? $0 : nil } }
        if let numbers = value as? [Int] {
            let labels = numbers.compactMap(label)
            return labels.count == numbers.count && !labels.isEmpty ? NamedLabels(name: key, labels: labels) : nil
        }
        if let number = value as? Int { return label(number).map { NamedLabels(name: key, labels: [$0]) } }
        guard let text = value as? String else { return nil }
        if let number = Int(key) { return label(number).map { NamedLabels(name: text, labels: [$0]) } }
        return Int(text).flatMap(label).map { NamedLabels(name: key, labels: [$0]) }
    }

    /// The structures as they follow each other in the file: JSON objects have no order, but `regions_class_order` means
    /// that of the file.
    private static func inFileOrder(_ structures: [NamedLabels], text: String) -> [NamedLabels] {
        guard let start = text.range(of: #""labels"\s*:"#, options: .regularExpression)?.upperBound else {
            return structures
        }
        func place(_ structure: NamedLabels) -> String.Index {
            let key = #""\#(NSRegularExpression.escapedPattern(for: structure.name))"\s*:"#
            return text.range(of: key, options: .regularExpression, range: start..<text.endIndex)?.lowerBound
                ?? text.endIndex
        }
        return structures.map { ($0, place($0)) }.sorted { ($0.1, $0.0.name) < ($1.1, $1.0.name) }.map(\.0)
    }

    /// One class for each label. A label that has no structure of its own is called by its number.
    private static func classes(_ structures: [NamedLabels]) -> [NNUNetDataset.LabelClass] {
        let single = structures.filter { $0.labels.count == 1 }.map {
            NNUNetDataset.LabelClass(name: $0.name, label: $0.labels[0])
        }
        let others = Set(structures.flatMap(\.labels)).subtracting(single.map(\.label))
        return (single + others.map { NNUNetDataset.LabelClass(name: "\($0)", label: $0) })
            .sorted { ($0.label, $0.name) < ($1.label, $1.name) }
    }
}
