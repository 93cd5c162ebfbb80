import Foundation
import Testing
import Training

/// A typed recipe with one key of each kind.
private struct Sample: Equatable {
    enum Method: String, CaseIterable { case s3d, mae, scratch }

    var method: Method
    var seed: Int
    var rate: Double
    var clip: Double?
    var note: String
    var deep: Bool
    var kernels: [Int]
    var names: [String]
    var gamma: ClosedRange<Double>
    var patch: [Int]
    var ratio: Double
    var shape: String

    init(reading section: RecipeSection) throws {
        method = try section.choice("method", default: .s3d)
        seed = try section.integer("seed", default: 7)
        let optimizer = try section.section("optimizer")
        rate = try optimizer.double("rate", default: 1e-2, in: 0...1)
        clip = try optimizer.optionalDouble("clip", default: 12)
        note = try section.string("note", default: "as: in \"the\" paper\n# not a comment")
        deep = try section.bool("deep", default: true)
        kernels = try section.integers("kernels", default: [1, 3], in: 1...7)
        names = try section.strings("names", default: ["no", "1e3", "", "T1 FLAIR", "é"])
        gamma = try section.interval("gamma", default: 0.7...1.5, in: 0...10)
        patch = try section.extent("patch", default: 96).dimensions
        let masking = try section.section("data").section("masking")
        ratio = try masking.double("ratio", default: 0.75, in: 0...1)
        shape = try masking.choice("shape", among: ["block", "cell"], default: "block")
    }
}

struct RecipeTests {
    private static func resolve(_ text: String, overrides: [String] = []) throws -> (Sample, ResolvedRecipe) {
        try RecipeDocument.parse(text, path: "r.yaml", overrides: overrides).resolve(Sample.init)
    }

    @Test func defaultsApplyWhereNothingIsWritten() throws {
        let (sample, _) = try Self.resolve("")
        #expect(sample.rate == 0.01 && sample.clip == 12 && sample.patch == [96, 96, 96] && sample.method == .s3d)
        let none = try Self.resolve("# only a comment\noptimizer:\n").0
        #expect(none == sample)
    }

    @Test func valuesAreReadWithTheirTypes() throws {
        let (sample, _) = try Self.resolve(
            """
            method: mae   # comment
            seed: 12
            optimizer: {rate: 1e-3, clip: none}
            note: "5"
            deep: false
            kernels: [1, 3, 3]
            gamma: 2
            patch: [32, 64, 96]
            data:
              masking:
                ratio: 1
            """)
        #expect(sample.method == .mae && sample.seed == 12 && sample.rate == 1e-3 && sample.clip == nil)
        #expect(sample.note == "5" && !sample.deep && sample.kernels == [1, 3, 3] && sample.gamma == 2...2)
        #expect(sample.patch == [32, 64, 96] && sample.ratio == 1)
    }

    @Test func theResolvedRecipeReadsBackAsTheSameValues() throws {
        for text in ["", "optimizer: {rate: 1e-7, clip: null}\nnote: ''\nseed: 9007199254740993\ngamma: [0.1, 3]"] {
            let (sample, resolved) = try Self.resolve(text)
            let (again, resolvedAgain) = try Self.resolve(resolved.yaml)
            #expect(again == sample)
            #expect(resolvedAgain.yaml == resolved.yaml)
            #expect(resolved.flattened.map(\.key).contains("data.masking.shape"), "defaults are written")
            #expect(resolved.firstDifference(from: resolvedAgain) == nil)
        }
    }

    @Test func theFirstDifferenceIsNamed() throws {
        let first = try Self.resolve("seed: 1\ndata: {masking: {ratio: 0.6}}").1
        let second = try Self.resolve("seed: 1").1
        let difference = first.firstDifference(from: try RecipeDocument.parse(second.yaml).asWritten)
        #expect(difference?.key == "data.masking.ratio" && difference?.here == "0.6" && difference?.there == "0.75")
    }

    @Test(
        "mistakes name file, line, key and what to write",
        arguments: [
            (
                "seed: 1\ndata:\n  masking:\n    ratoi: 0.5",
                ["r.yaml:4:", "data.masking.ratoi", "'data.masking.ratio'"]
            ),
            ("ratio: 0.5", ["r.yaml:1:", "did you mean 'data.masking.ratio'"]),
            ("zzzzzzzz: 0.5", ["r.yaml:1:", "unknown key; known here: data, deep"]),
            ("\nseed: high", ["r.yaml:2:", "seed", "expected a whole number", "'high'"]),
            ("seed: 1.5", ["expected a whole number", "found 1.5"]),
            ("seed: '1'", ["expected a whole number", "found '1'"]),
            ("optimizer:\n  rate: 2", ["r.yaml:2:", "optimizer.rate", "from 0 to 1", "found 2"]),
            ("optimizer:\n  rate: .nan", ["optimizer.rate", "'.nan'"]),
            ("optimizer: 3", ["optimizer: expected a section, found 3"]),
            ("deep: yes", ["true or false", "'yes'"]),
            ("note: 5", ["text", "found 5"]),
            ("method: s4d", ["one of s3d, mae, scratch", "'s4d'"]),
            ("kernels: [1, 9]", ["whole numbers from 1 to 7", "a list of 2"]),
            ("gamma: [2, 1]", ["a number or [low, high] from 0 to 10"]),
            ("patch: [1, 2]", ["[depth, height, width]"]),
            ("seed: 1\nseed: 2", ["r.yaml:", "'seed' is given twice"]),
            ("seed: [1", ["r.yaml:", "not valid YAML"]),
            ("- 1\n- 2", ["r.yaml:1:", "found a list of 2"]),
        ] as [(String, [String])])
    func mistakes(text: String, words: [String]) {
        let error = #expect(throws: RecipeError.self) { try Self.resolve(text) }
        for word in words { #expect(error?.description.contains(word) == true, "\(error?.description ?? "")") }
        #expect(error?.exitCode == 64)
    }

    @Test func aRequiredKeyMustBeThere() throws {
        let error = #expect(throws: RecipeError.self) {
            try RecipeDocument.parse("a: 1", path: "r.yaml").resolve { try $0.string("dataset") }
        }
        #expect(error?.description.contains("dataset: this key is required") == true)
    }

    @Test func overridesComeLastAndAreNamed() throws {
        let sample = try Self.resolve("seed: 1", overrides: ["seed=2", "data.masking.ratio=0.5", "kernels=[5]"]).0
        #expect(sample.seed == 2 && sample.ratio == 0.5 && sample.kernels == [5])
        for wrong in ["data.masking.ratoi=1", "seed=x", "seed", "=1", "a..b=1"] {
            let error = #expect(throws: RecipeError.self) { try Self.resolve("", overrides: [wrong]) }
            #expect(error?.description.hasPrefix("--set \(wrong): ") == true, "\(error?.description ?? "")")
        }
    }

    @Test func aliasesCannotExplode() {
        let text =
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + zip("bcdef", "abcde").map {
                "\($0): &\($0) [" + Array(repeating: "*\($1)", count: 10).joined(separator: ", ") + "]\n"
            }
            .joined()
        #expect(throws: RecipeError.self) { try Self.resolve(text) }
    }
}

struct RecipeInheritanceTests {
    private static func resolve(_ path: String) throws -> Sample {
        try RecipeDocument.load(path).resolve(Sample.init).0
    }

    @Test func parentsAreOverlaidSectionBySection() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder("base"), withIntermediateDirectories: true)
        try "seed: 1\noptimizer:\n  rate: 0.5\n  clip: 3\n".write(
            toFile: folder("base/a.yaml"), atomically: true, encoding: .utf8)
        try "extends: a.yaml\nseed: 2\n".write(toFile: folder("base/b.yaml"), atomically: true, encoding: .utf8)
        try "extends: base/b.yaml\noptimizer:\n  clip: none\n".write(
            toFile: folder("c.yaml"), atomically: true, encoding: .utf8)
        let sample = try Self.resolve(folder("c.yaml"))
        #expect(sample.seed == 2 && sample.rate == 0.5 && sample.clip == nil)
    }

    @Test func aSectionOfAnotherKindReplacesItsParents() throws {
        struct Kinds {
            var kind: String
            var size: Int
            init(reading section: RecipeSection) throws {
                let part = try section.section("part")
                kind = try part.choice("kind", among: ["a", "b"], default: "a")
                size = try part.integer(kind == "a" ? "length" : "width", default: 1)
            }
        }
        func resolve(_ text: String, _ overrides: [String]) throws -> Kinds {
            try RecipeDocument.parse(text, overrides: overrides).resolve(Kinds.init(reading:)).0
        }
        let parent = "part: {kind: a, length: 5}"
        #expect(try resolve(parent, ["part.kind=a"]).size == 5)
        #expect(try resolve(parent, ["part.kind=b"]).size == 1)
        #expect(try resolve(parent, ["part.kind=b", "part.width=7"]).size == 7)
        #expect(throws: RecipeError.self) { _ = try resolve(parent, ["part.kind=b", "part.length=7"]) }
        // Without a kind of its own the parent may be of any.
        #expect(throws: RecipeError.self) { _ = try resolve("part: {length: 5}", ["part.kind=b"]) }
    }

    @Test func aMistakeInAParentIsReportedThere() throws {
        let folder = try TemporaryFolder()
        try "seed: 1\nrat: 2".write(toFile: folder("a.yaml"), atomically: true, encoding: .utf8)
        try "extends: a.yaml".write(toFile: folder("b.yaml"), atomically: true, encoding: .utf8)
        let error = #expect(throws: RecipeError.self) { try Self.resolve(folder("b.yaml")) }
        #expect(error?.place == .line(2, file: folder("a.yaml")))
    }

    @Test func circlesAndMissingParentsAreRefused() throws {
        let folder = try TemporaryFolder()
        try "extends: ./b.yaml".write(toFile: folder("a.yaml"), atomically: true, encoding: .utf8)
        try "extends: a.yaml".write(toFile: folder("b.yaml"), atomically: true, encoding: .utf8)
        try "\nextends: none.yaml".write(toFile: folder("c.yaml"), atomically: true, encoding: .utf8)
        #expect(throws: RecipeError.self) { try Self.resolve(folder("a.yaml")) }
        let error = #expect(throws: RecipeError.self) { try Self.resolve(folder("c.yaml")) }
        #expect(error?.place == .line(2, file: folder("c.yaml")))
        #expect(throws: (any Error).self) { try Self.resolve(folder("missing.yaml")) }
    }
}
