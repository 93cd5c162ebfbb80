import Foundation
import WeightFiles

/// Which cases belong together: a table with a line for each case, its name first, and a column for each way of
/// grouping, such as centre or modality.
///
///     case,centre,modality
///     hippocampus_001,Leiden,T1
///
/// Columns are separated by commas or tabs. Cases that are not listed belong to no group.
public struct SubgroupFile: Sendable, Hashable {
    /// For each column its name, and the group of each case.
    public var columns: [(name: String, groupOfCase: [String: String])]

    /// Reads a table.
    /// - Throws: `FileError`; ``ComparisonError/damagedSubgroups(file:reason:)`` naming the line.
    public init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else { throw FileError("read", path) }
        let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        let rows = lines.map { line in
            line.split(separator: line.contains("\t") ? "\t" : ",", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
        guard let header = rows.first, header.count >= 2 else {
            throw ComparisonError.damagedSubgroups(file: path, reason: "expected a first line such as case,centre")
        }
        var columns = header.dropFirst().map { (name: $0, groupOfCase: [String: String]()) }
        for (number, row) in rows.enumerated().dropFirst() where row != [""] {
            guard row.count == header.count else {
                throw ComparisonError.damagedSubgroups(
                    file: path, reason: "line \(number + 1) has \(row.count) columns instead of \(header.count)")
            }
            for column in columns.indices where !row[column + 1].isEmpty {
                guard columns[column].groupOfCase.updateValue(row[column + 1], forKey: row[0]) == nil else {
                    throw ComparisonError.damagedSubgroups(file: path, reason: "case \(row[0]) is listed twice")
                }
            }
        }
        self.columns = columns
    }

    /// Equal tables.
    public static func == (first: Self, second: Self) -> Bool {
        first.columns.elementsEqual(second.columns) { $0.name == $1.name && $0.groupOfCase == $1.groupOfCase }
    }

    /// Hashes the columns.
    public func hash(into hasher: inout Hasher) {
        for column in columns {
            hasher.combine(column.name)
            hasher.combine(column.groupOfCase)
        }
    }
}
