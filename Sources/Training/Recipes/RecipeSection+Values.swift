import Tensors

extension RecipeSection {
    /// A whole number.
    /// - Throws: ``RecipeError`` if it is no whole number, out of `bounds`, or absent without a default.
    public func integer(
        _ key: String, default fallback: Int? = nil, in bounds: ClosedRange<Int> = 0...Int.max
    ) throws -> Int {
        try value(
            key, expecting: "a whole number\(Self.words(bounds))", default: fallback,
            resolved: { .scalar(.integer($0)) }
        ) { $0.integer.flatMap { bounds.contains($0) ? $0 : nil } }
    }

    /// A whole number, or `none`.
    public func optionalInteger(
        _ key: String, default fallback: Int?, in bounds: ClosedRange<Int> = 0...Int.max
    ) throws -> Int? {
        try optional(key, "a whole number\(Self.words(bounds))", fallback, { .integer($0) }) {
            $0.integer.flatMap { bounds.contains($0) ? $0 : nil }
        }
    }

    /// A finite number.
    public func double(
        _ key: String, default fallback: Double? = nil, in bounds: ClosedRange<Double> = -.infinity ... .infinity
    ) throws -> Double {
        try value(
            key, expecting: "a number\(Self.words(bounds))", default: fallback, resolved: { .scalar(.double($0)) }
        ) { $0.number.flatMap { bounds.contains($0) ? $0 : nil } }
    }

    /// A finite number, or `none`.
    public func optionalDouble(
        _ key: String, default fallback: Double?, in bounds: ClosedRange<Double> = -.infinity ... .infinity
    ) throws -> Double? {
        try optional(key, "a number\(Self.words(bounds))", fallback, { .double($0) }) {
            $0.number.flatMap { bounds.contains($0) ? $0 : nil }
        }
    }

    /// Text.
    public func string(_ key: String, default fallback: String? = nil) throws -> String {
        try value(
            key, expecting: "text (put numbers in quotes)", default: fallback, resolved: { .scalar(.text($0)) }
        ) { $0.text }
    }

    /// Text, or `none`.
    public func optionalString(_ key: String, default fallback: String? = nil) throws -> String? {
        try optional(key, "text (put numbers in quotes)", fallback, { .text($0) }) { $0.text }
    }

    /// `true` or `false`.
    public func bool(_ key: String, default fallback: Bool? = nil) throws -> Bool {
        try value(key, expecting: "true or false", default: fallback, resolved: { .scalar(.bool($0)) }) {
            if case .scalar(.bool(let value)) = $0.content { value } else { nil }
        }
    }

    /// `true`, `false` or `none`.
    public func optionalBool(_ key: String, default fallback: Bool? = nil) throws -> Bool? {
        try optional(key, "true or false", fallback, { .bool($0) }) {
            if case .scalar(.bool(let value)) = $0.content { value } else { nil }
        }
    }

    /// One of the cases of an enumeration, by its raw value.
    public func choice<Choice>(
        _ key: String, of type: Choice.Type = Choice.self, default fallback: Choice? = nil
    ) throws -> Choice where Choice: RawRepresentable<String> & CaseIterable {
        let names = Choice.allCases.map(\.rawValue)
        let written = try choice(key, among: names, default: fallback?.rawValue)
        guard let choice = Choice(rawValue: written) else { fatalError("\(Choice.self) has no case \(written)") }
        return choice
    }

    /// One of a few words.
    public func choice(_ key: String, among names: [String], default fallback: String? = nil) throws -> String {
        let written = node[key]?.text ?? ""
        let nearest = names.contains(written) ? nil : EditDistance.nearest(to: written, among: names)
        let hint = nearest.map { " (did you mean '\($0)'?)" } ?? ""
        return try value(
            key, expecting: "one of \(names.joined(separator: ", "))\(hint)", default: fallback,
            resolved: { .scalar(.text($0)) }
        ) { $0.text.flatMap { names.contains($0) ? $0 : nil } }
    }

    /// A list of whole numbers.
    public func integers(
        _ key: String, default fallback: [Int]? = nil, count: Int? = nil, in bounds: ClosedRange<Int> = 0...Int.max
    ) throws -> [Int] {
        try list(key, "whole numbers\(Self.words(bounds))", fallback, count, { .integer($0) }) {
            $0.integer.flatMap { bounds.contains($0) ? $0 : nil }
        }
    }

    /// A list of finite numbers.
    public func doubles(
        _ key: String, default fallback: [Double]? = nil, count: Int? = nil,
        in bounds: ClosedRange<Double> = -.infinity ... .infinity
    ) throws -> [Double] {
        try list(key, "numbers\(Self.words(bounds))", fallback, count, { .double($0) }) {
            $0.number.flatMap { bounds.contains($0) ? $0 : nil }
        }
    }

    /// A list of texts.
    public func strings(_ key: String, default fallback: [String]? = nil, count: Int? = nil) throws -> [String] {
        try list(key, "texts (put numbers in quotes)", fallback, count, { .text($0) }) { $0.text }
    }

    /// An interval `[low, high]`; a single number is the interval that contains only it.
    public func interval(
        _ key: String, default fallback: ClosedRange<Double>? = nil,
        in bounds: ClosedRange<Double> = -.infinity ... .infinity
    ) throws -> ClosedRange<Double> {
        func resolved(_ interval: ClosedRange<Double>) -> ResolvedValue {
            .list([interval.lowerBound, interval.upperBound].map { .scalar(.double($0)) })
        }
        return try value(
            key, expecting: "a number or [low, high]\(Self.words(bounds))", default: fallback, resolved: resolved
        ) { node in
            let ends = node.number.map { [$0, $0] } ?? node.list?.compactMap(\.number) ?? []
            guard ends.count == 2, (node.list?.count ?? 2) == 2, ends[0] <= ends[1] else { return nil }
            return bounds.contains(ends[0]) && bounds.contains(ends[1]) ? ends[0]...ends[1] : nil
        }
    }

    /// Depth, height and width in voxels: `[d, h, w]`, or one number for a cube.
    public func extent(
        _ key: String, default fallback: Extent3? = nil, in bounds: ClosedRange<Int> = 1...4096
    ) throws -> Extent3 {
        try value(
            key, expecting: "one whole number or three, [depth, height, width]\(Self.words(bounds))", default: fallback,
            resolved: { .list($0.dimensions.map { .scalar(.integer($0)) }) }
        ) { node in
            let sizes = node.integer.map { [$0, $0, $0] } ?? node.list?.compactMap(\.integer) ?? []
            guard sizes.count == 3, (node.list?.count ?? 3) == 3, sizes.allSatisfy(bounds.contains) else { return nil }
            return Extent3(dimensions: sizes)
        }
    }

    private func optional<Value>(
        _ key: String, _ expected: String, _ fallback: Value?, _ scalar: (Value) -> RecipeScalar,
        convert: (RecipeNode) -> Value?
    ) throws -> Value? {
        try value(
            key, expecting: "\(expected), or none", default: .some(fallback),
            resolved: { .scalar($0.map(scalar) ?? .text("none")) }
        ) { (node: RecipeNode) -> Value?? in
            if node.isNone { return .some(nil) }
            return convert(node).map { .some($0) }
        }
    }

    private func list<Element>(
        _ key: String, _ expected: String, _ fallback: [Element]?, _ count: Int?, _ scalar: (Element) -> RecipeScalar,
        convert: (RecipeNode) -> Element?
    ) throws -> [Element] {
        let length = count.map { "\($0) " } ?? ""
        return try value(
            key, expecting: "a list of \(length)\(expected)", default: fallback,
            resolved: { .list($0.map { .scalar(scalar($0)) }) }
        ) { node in
            guard let elements = node.list?.map(convert), !elements.contains(where: { $0 == nil }) else { return nil }
            return count.map { $0 == elements.count } ?? true ? elements.compactMap(\.self) : nil
        }
    }

    /// The bounds in words, for messages.
    private static func words<Bound>(_ bounds: ClosedRange<Bound>) -> String where Bound: Comparable {
        func word(_ bound: Bound) -> String {
            let digits = "\(bound)"
            return digits.hasSuffix(".0") ? String(digits.dropLast(2)) : digits
        }
        let (low, high) = (word(bounds.lowerBound), word(bounds.upperBound))
        let (hasLow, hasHigh) = (low != "-inf" && low != "\(Int.min)", high != "inf" && high != "\(Int.max)")
        return switch (hasLow, hasHigh) {
        case (true, true): " from \(low) to \(high)"
        case (true, false): " of at least \(low)"
        case (false, true): " of at most \(high)"
        case (false, false): ""
        }
    }
}

extension RecipeNode {
    var integer: Int? { if case .scalar(.integer(let value)) = content { value } else { nil } }
    var text: String? { if case .scalar(.text(let value)) = content { value } else { nil } }
    var list: [RecipeNode]? { if case .list(let elements) = content { elements } else { nil } }
    var isSection: Bool { if case .section = content { true } else { false } }
    var isNone: Bool {
        if case .scalar(let value) = content { value == .null || value == .text("none") } else { false }
    }
    var number: Double? {
        switch content {
        case .scalar(.integer(let value)): Double(value)
        case .scalar(.double(let value)): value.isFinite ? value : nil
        default: nil
        }
    }
}
