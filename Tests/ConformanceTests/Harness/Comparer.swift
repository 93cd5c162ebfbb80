import WeightFiles

/// The one comparison of all cases: shape first, then every element, reporting the worst place.
enum Comparer {
    /// What is wrong with `results`, a line each; empty when the case passes.
    static func mismatches(of results: OracleResults, in oracle: OracleCase) throws -> [String] {
        var problems: [String] = []
        let optional = oracle.params.has("optional") ? try oracle.params.strings("optional") : []
        for (name, key) in oracle.outputs.sorted(by: { $0.key < $1.key }) {
            let actual = results.outputs[name]
            if actual == nil && optional.contains(name) { continue }
            problems += compare(
                actual, try oracle.file.tensor(key), "outputs/\(name)", oracle.tolerance(of: "outputs/\(name)"))
        }
        for (name, key) in oracle.gradients.sorted(by: { $0.key < $1.key }) {
            let expected = try oracle.file.tensor(key)
            let actual = oracle.aliases(of: name).compactMap { results.gradients[$0] }.first
            if actual == nil && expected.doubles().allSatisfy({ $0 == 0 }) { continue }
            problems += compare(actual, expected, "gradients/\(name)", oracle.tolerance(of: "gradients/\(name)"))
        }
        for (name, expected) in oracle.values.sorted(by: { $0.key < $1.key }) {
            let actual = results.values[name]
            if actual == nil && optional.contains(name) { continue }
            problems += compare(actual, expected, "values/\(name)", oracle.tolerance(of: "values/\(name)"))
        }
        return problems
    }

    static func compare(
        _ actual: StoredTensor?, _ expected: StoredTensor, _ name: String, _ tolerance: OracleCase.Tolerance
    ) -> [String] {
        guard let actual else { return ["\(name): missing"] }
        guard actual.shape == expected.shape else {
            return ["\(name): shape \(actual.shape), expected \(expected.shape)"]
        }
        if let expectedIntegers = try? expected.integers(), let integers = try? actual.integers() {
            let wrong = integers.indices.filter { integers[$0] != expectedIntegers[$0] }
            return wrong.first.map { first in
                [
                    "\(name): \(wrong.count) of \(integers.count) integers differ, the first at "
                        + "\(place(first, expected.shape)): \(integers[first]), expected \(expectedIntegers[first])"
                ]
            } ?? []
        }
        let exact = OracleCase.Tolerance(absolute: 0, relative: 0)
        return compare(
            actual.doubles(), expected.doubles(), shape: expected.shape, name,
            expected.elementType.isFloatingPoint ? tolerance : exact)
    }

    private static func compare(_ actual: JSON?, _ expected: JSON, _ name: String, _ tolerance: OracleCase.Tolerance)
        -> [String]
    {
        guard let actual else { return ["\(name): missing"] }
        if actual == expected { return [] }
        guard let number = actual.number, let wanted = expected.number else {
            return ["\(name): \(actual), expected \(expected)"]
        }
        return compare([number], [wanted], shape: [], name, tolerance)
    }

    private static func compare(
        _ actual: [Double], _ expected: [Double], shape: [Int], _ name: String, _ tolerance: OracleCase.Tolerance
    ) -> [String] {
        var (wrong, worst, worstExcess) = (0, 0, -1.0)
        for index in actual.indices {
            let excess = excess(actual[index], expected[index], tolerance)
            if excess > 0 { wrong += 1 }
            if excess > worstExcess { (worst, worstExcess) = (index, excess) }
        }
        guard wrong > 0 else { return [] }
        return [
            "\(name): \(wrong) of \(actual.count) elements differ, the worst at \(place(worst, shape)): "
                + "\(actual[worst]), expected \(expected[worst]) within \(tolerance.absolute) + \(tolerance.relative) |expected|"
        ]
    }

    /// How far the actual value is out of the allowed range; not above 0 when it is within.
    private static func excess(_ actual: Double, _ expected: Double, _ tolerance: OracleCase.Tolerance) -> Double {
        if actual == expected || (actual.isNaN && expected.isNaN) { return -1 }
        guard actual.isFinite && expected.isFinite else { return .infinity }
        return abs(actual - expected) - (tolerance.absolute + tolerance.relative * abs(expected))
    }

    /// The index along each axis of an element.
    private static func place(_ offset: Int, _ shape: [Int]) -> [Int] {
        var (rest, place) = (offset, [Int]())
        for size in shape.reversed() {
            place.insert(rest % size, at: 0)
            rest /= size
        }
        return place
    }
}
