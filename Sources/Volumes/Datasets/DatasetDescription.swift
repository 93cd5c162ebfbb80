import Foundation

/// The content of a `dataset.json`, checked. Both spellings are understood: nnU-Net's (`channel_names`, labels by name)
/// and the Medical Segmentation Decathlon's (`modality`, names by label).
struct DatasetDescription {
    let name: String?
    let channelNames: [String]
    let classes: [NNUNetDataset.LabelClass]
    let ignoreLabel: Int16?
    let fileEnding: String

    init(path: String) throws {
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
        guard let labels = json["labels"] as? [String: Any], !labels.isEmpty else {
            throw wrong(#"labels is missing; expected for example {"background": 0, "liver": 1}"#)
        }
        let found = try labels.map { key, value in
            guard let (name, label) = Self.labelClass(key, value) else {
                throw wrong(
                    value is [Any]
                        ? "label '\(key)' is a region of several labels, which is not supported yet; give each label its own class"
                        : "label '\(key)' is \(value); expected a whole number from 0 to 32767")
            }
            return NNUNetDataset.LabelClass(name: name, label: label)
        }
        ignoreLabel = found.first { $0.name == "ignore" }?.label
        classes = found.filter { $0.name != "ignore" }.sorted { $0.label < $1.label }
        if let twice = zip(classes, classes.dropFirst()).first(where: { $0.label == $1.label }) {
            throw wrong("labels '\(twice.0.name)' and '\(twice.1.name)' are both \(twice.0.label)")
        }
        guard classes.map(\.label) == (0..<Int16(classes.count)).map(\.self) else {
            throw wrong("labels are \(classes.map(\.label)); number them 0 (background), 1, 2, ... without gaps")
        }
    }

    /// A class from `"liver": 1`, or from the older `"1": "liver"`.
    private static func labelClass(_ key: String, _ value: Any) -> (String, Int16)? {
        if let number = value as? Int, let label = Int16(exactly: number), label >= 0 { return (key, label) }
        guard let text = value as? String else { return nil }
        if let label = Int16(key), label >= 0 { return (text, label) }
        return Int16(text).flatMap { $0 >= 0 ? (key, $0) : nil }
    }
}
