/// A value of a manifest whose keys depend on the operation.
enum JSON: Sendable, Hashable, Decodable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    /// The number, also where it is spelled "nan", "inf" or "-inf".
    var number: Double? {
        switch self {
        case .number(let value): value
        case .string("nan"): .nan
        case .string("inf"): .infinity
        case .string("-inf"): -.infinity
        default: nil
        }
    }
}

extension JSON: ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringLiteral, ExpressibleByNilLiteral
{
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(floatLiteral value: Double) { self = .number(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
    init(stringLiteral value: String) { self = .string(value) }
    init(nilLiteral: ()) { self = .null }
}

/// The parameters of a case, read by name and type. Reading a key that is absent or has another type throws.
struct OracleParameters: Sendable {
    let values: [String: JSON]

    struct Missing: Error, CustomStringConvertible {
        let key: String
        let wanted: String
        let found: JSON?
        var description: String { "parameter '\(key)': wanted \(wanted), found \(found.map { "\($0)" } ?? "nothing")" }
    }

    /// Whether the key is there with a value other than null.
    func has(_ key: String) -> Bool { values[key].map { $0 != .null } ?? false }

    func double(_ key: String) throws -> Double {
        guard let value = values[key]?.number else { throw missing(key, "a number") }
        return value
    }

    func float(_ key: String) throws -> Float { Float(try double(key)) }

    func int(_ key: String) throws -> Int {
        guard let value = values[key]?.number, let int = Int(exactly: value) else { throw missing(key, "an integer") }
        return int
    }

    func bool(_ key: String) throws -> Bool {
        guard case .bool(let value)? = values[key] else { throw missing(key, "a boolean") }
        return value
    }

    func string(_ key: String) throws -> String {
        guard case .string(let value)? = values[key] else { throw missing(key, "a string") }
        return value
    }

    func array(_ key: String) throws -> [JSON] {
        guard case .array(let value)? = values[key] else { throw missing(key, "an array") }
        return value
    }

    func doubles(_ key: String) throws -> [Double] {
        let numbers = try array(key).map(\.number)
        guard !numbers.contains(nil) else { throw missing(key, "numbers") }
        return numbers.compactMap(\.self)
    }

    func ints(_ key: String) throws -> [Int] { try integers(values[key], key) }

    /// A list of lists of integers, such as strides per stage.
    func intLists(_ key: String) throws -> [[Int]] { try array(key).map { try integers($0, key) } }

    func strings(_ key: String) throws -> [String] {
        try array(key).map {
            guard case .string(let text) = $0 else { throw missing(key, "strings") }
            return text
        }
    }

    private func integers(_ value: JSON?, _ key: String) throws -> [Int] {
        guard case .array(let elements)? = value else { throw missing(key, "integers") }
        return try elements.map {
            guard let number = $0.number, let int = Int(exactly: number) else { throw missing(key, "integers") }
            return int
        }
    }

    private func missing(_ key: String, _ wanted: String) -> Missing {
        Missing(key: key, wanted: wanted, found: values[key])
    }
}
