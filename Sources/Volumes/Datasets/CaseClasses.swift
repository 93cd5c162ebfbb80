import Foundation

/// The class of each case of a dataset: `classes.csv` beside `dataset.json`, with the header `case,class`.
///
///     case,class
///     nodule_001,benign
///     nodule_002,malignant
struct CaseClasses {
    static let fileName = "classes.csv"

    /// The names that occur, sorted; numbers by their size. The place of a name is its class.
    let names: [String]
    /// The class of each case.
    let classOfCase: [String: Int]

    /// Reads the file of a dataset.
    /// - Parameter cases: the cases of `imagesTr`: each needs a class, and no other may have one.
    /// - Throws: ``DatasetError/badDescription(path:problem:)``.
    init(path: String, cases: [String]) throws {
        func wrong(_ problem: String) -> DatasetError { .badDescription(path: path, problem: problem) }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw wrong("cannot be read; classification wants a table with the lines case,class and then NAME,CLASS")
        }
        // Spreadsheets put a byte order mark in front.
        let text = String(decoding: data, as: UTF8.self)
        let rows = text.trimmingPrefix("\u{FEFF}").split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        )
        .map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
        }
        guard rows.first == ["case", "class"] else { throw wrong("expected the first line to be case,class") }
        var named: [String: String] = [:]
        let known = Set(cases)
        for (index, row) in rows.enumerated().dropFirst() where row != [""] {
            guard row.count == 2, !row[0].isEmpty, !row[1].isEmpty else {
                throw wrong("line \(index + 1) should be a case and its class, such as nodule_001,benign")
            }
            guard known.contains(row[0]) else {
                throw wrong("line \(index + 1) names \(row[0]), of which imagesTr has no image; remove the line")
            }
            guard named.updateValue(row[1], forKey: row[0]) == nil else {
                throw wrong("line \(index + 1) names \(row[0]) a second time; remove one of the lines")
            }
        }
        if let missing = cases.first(where: { named[$0] == nil }) {
            throw wrong("case \(missing) has no line; add its class, or move its image to imagesTs")
        }
        let found = Set(named.values)
        guard found.count > 1 else {
            throw wrong("all cases have the class \(found.first ?? "–"); at least two are needed")
        }
        let areNumbers = found.allSatisfy { Int($0) != nil }
        // Numbers that are written in two ways, such as 1 and 01, are two classes.
        let names = found.sorted { (areNumbers ? Int($0)! : 0, $0) < (areNumbers ? Int($1)! : 0, $1) }
        self.names = names
        classOfCase = named.compactMapValues(names.firstIndex)
    }
}

extension NNUNetDataset {
    /// Reads a dataset whose images are classified as a whole: `dataset.json` with the channels, `imagesTr`, `imagesTs`, and
    /// `classes.csv` with a line for each case of `imagesTr`. Labels of voxels are not looked at, and need not be there.
    ///
    /// ``classes`` are then those of the cases, sorted by name, counted from 0.
    /// - Throws: ``DatasetError``.
    public init(classifying path: String) throws {
        let description = try DatasetDescription(path: "\(path)/dataset.json", needsLabels: false)
        let training = try Self.cases(in: path, images: "imagesTr", labels: nil, description)
        guard !training.isEmpty else { throw DatasetError.noImages(folder: "\(path)/imagesTr") }
        let given = try CaseClasses(path: "\(path)/\(CaseClasses.fileName)", cases: training.map(\.name))
        self.init(
            path: path, description,
            classes: given.names.enumerated().map { LabelClass(name: $1, label: Int16($0)) }, trainingCases: training,
            testCases: try Self.cases(in: path, images: "imagesTs", labels: nil, description),
            classOfCase: given.classOfCase)
    }

    /// The table of the cases' classes; nil where voxels have labels.
    public var classesPath: String? { classOfCase.map { _ in "\(path)/\(CaseClasses.fileName)" } }
}
