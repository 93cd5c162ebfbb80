import Foundation

/// What a command found, in order: lines for people, or an object for machines.
struct Facts {
    private struct Entry {
        var key: String
        var text: String
        var value: any Encodable
    }

    private var entries: [Entry] = []
    private var tables: [(key: String, table: TextTable)] = []

    /// Adds a fact.
    /// - Parameters:
    ///   - key: its name in JSON; people see it with spaces and without `_mm`, as units stand in the text.
    ///   - text: how people see it; by default as it is.
    mutating func add(_ key: String, _ value: some Encodable, text: String? = nil) {
        entries.append(Entry(key: key, text: text ?? "\(value)", value: value))
    }

    /// Adds a table, which is a list of objects in JSON.
    mutating func add(_ key: String, _ table: TextTable) { tables.append((key, table)) }

    /// Prints everything on the standard output.
    func print(json: Bool) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Swift.print(String(decoding: try encoder.encode(self), as: UTF8.self))
        } else {
            let labels = entries.map { $0.key.replacing("_mm", with: "").replacing("_", with: " ") }
            let width = labels.map(\.count).max() ?? 0
            for (label, entry) in zip(labels, entries) {
                Swift.print(label + String(repeating: " ", count: width - label.count + 2) + entry.text)
            }
            for (_, table) in tables { Swift.print("\n\(table.text)") }
        }
    }
}

extension Facts: Encodable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for entry in entries { try container.encode(entry.value, forKey: Key(entry.key)) }
        for (key, table) in tables { try container.encode(table.objects, forKey: Key(key)) }
    }
}
