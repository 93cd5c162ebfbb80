import Testing
import WeightFiles

/// The comparer must fail where it should: a comparer that passes everything proves nothing.
struct ComparerTests {
    private static func mismatches(_ actual: StoredTensor?, expected: StoredTensor, tolerance: Double = 1e-3)
        -> [String]
    {
        Comparer.compare(actual, expected, "x", .init(absolute: tolerance, relative: 0))
    }

    @Test func acceptsWhatIsWithinTheTolerance() {
        let expected = StoredTensor([1, 2, .nan, .infinity] as [Float], shape: [2, 2])
        let actual = StoredTensor([1.0005, 1.9995, .nan, .infinity] as [Double], shape: [2, 2])
        #expect(Self.mismatches(actual, expected: expected) == [])
    }

    @Test(
        "refuses wrong numbers, shapes, types and absence",
        arguments: [
            (StoredTensor([1, 2.1] as [Float], shape: [2]), "[1]"),
            (StoredTensor([1, .nan] as [Float], shape: [2]), "[1]"),
            (StoredTensor([.infinity, 2] as [Float], shape: [2]), "[0]"),
            (StoredTensor([1, 2] as [Float], shape: [2, 1]), "shape"),
            (nil, "missing"),
        ] as [(StoredTensor?, String)])
    func refuses(actual: StoredTensor?, because reason: String) {
        let problems = Self.mismatches(actual, expected: StoredTensor([1, 2] as [Float], shape: [2]))
        #expect(problems.count == 1 && problems[0].contains(reason), "\(problems)")
    }

    @Test func integersMustBeEqualWhateverTheTolerance() {
        let expected = StoredTensor([1, 2, 3] as [Int32], shape: [3])
        #expect(
            Self.mismatches(StoredTensor([1, 2, 4] as [Int64], shape: [3]), expected: expected, tolerance: 9).count == 1
        )
        #expect(
            Self.mismatches(StoredTensor([1, 2, 3.5] as [Float], shape: [3]), expected: expected, tolerance: 9).count
                == 1)
        #expect(Self.mismatches(StoredTensor([1, 2, 3] as [UInt8], shape: [3]), expected: expected).isEmpty)
    }

    @Test func reportsTheWorstPlace() {
        let expected = StoredTensor([Float](repeating: 0, count: 12), shape: [2, 3, 2])
        var values = [Float](repeating: 0, count: 12)
        (values[3], values[8]) = (0.5, -2)
        let problems = Self.mismatches(StoredTensor(values, shape: [2, 3, 2]), expected: expected)
        #expect(
            problems.first?.contains("2 of 12 elements differ, the worst at [1, 1, 0]: -2.0") == true, "\(problems)")
    }

    @Test func aZeroGradientMayBeMissingAndAnyAliasWillDo() throws {
        let file = SafetensorsFile(tensors: [
            "zero": StoredTensor([0, 0] as [Float], shape: [2]), "w": StoredTensor([1, 1] as [Float], shape: [2]),
        ])
        let oracle = OracleCase(
            id: "case", op: "op", note: "", params: OracleParameters(values: [:]), folder: "", inputs: [:],
            weights: ["a": "key", "b": "key"], outputs: [:], gradients: ["a": "w", "x": "zero"], values: ["n": "nan"],
            tolerance: .init(absolute: 0, relative: 0), tolerances: [:], file: file)
        let gradient = try file.tensor("w")
        #expect(
            try Comparer.mismatches(of: .init(gradients: ["b": gradient], values: ["n": .number(.nan)]), in: oracle)
                == [])
        #expect(try Comparer.mismatches(of: .init(values: ["n": 1]), in: oracle).count == 2)
    }
}
