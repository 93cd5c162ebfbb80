/// How many labeled cases a network is trained on.
public enum TrainingSize: Sendable, Hashable, Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    /// The first so many of the permuted training cases.
    case cases(Int)
    /// All training cases.
    case full

    /// `let size: TrainingSize = 10`.
    public init(integerLiteral count: Int) { self = .cases(count) }

    /// `10`, or `all`.
    public var description: String {
        switch self {
        case .cases(let count): "\(count)"
        case .full: "all"
        }
    }
}

extension TrainingSize: Codable {
    /// Reads a number of cases or the word `all`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let count = try? container.decode(Int.self) {
            self = .cases(count)
        } else if try container.decode(String.self) == "all" {
            self = .full
        } else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected a number or \"all\"")
        }
    }

    /// Writes a number of cases or the word `all`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .cases(let count): try container.encode(count)
        case .full: try container.encode("all")
        }
    }
}
