/// Another dataset on which the network of every cell is tested as it is: transfer without training, as to patients of
/// another hospital.
public struct TransferTarget: Sendable, Hashable, Codable {
    /// The name in tables, for example `centre B`.
    public var name: String
    /// The dataset's name.
    public var dataset: String
    /// The name of the dataset's folder.
    public var folder: String
    /// Its labeled cases; all are tested on.
    public var cases: [String]
    /// What identifies the content of its files; nil if it was not looked at.
    public var digest: String?

    /// The target called `name`.
    public init(name: String, dataset: String, folder: String = "", cases: [String], digest: String? = nil) {
        (self.name, self.dataset, self.folder, self.cases, self.digest) = (name, dataset, folder, cases, digest)
    }

    /// The name of its folder among the files of a cell.
    var folderName: String { name.replacing(" ", with: "_") }

    /// The first thing in which the cases of two targets differ, in words; nil if a network has the same scores on both. What
    /// they are called does not matter.
    func difference(from other: TransferTarget) -> String? {
        if cases != other.cases { return "list of cases" }
        return digest == other.digest ? nil : "content of the dataset"
    }
}
