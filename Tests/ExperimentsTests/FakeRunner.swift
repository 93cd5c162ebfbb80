import Experiments
import Foundation
import WeightFiles

/// A folder that is removed with the value.
final class TemporaryFolder {
    let path = FileManager.default.temporaryDirectory.appending(path: "experiments-\(UUID().uuidString)").path
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The setup that a fine-tuning run leaves, as far as comparisons look at it.
struct SetupFile: Sealed {
    var dataset = "d"
    var trainingCases: [String]
    var validationCases: [String] = []
    var checksum: UInt32 = 0

    func write(toRun folder: String) throws { try sealedFile().write(to: URL(filePath: "\(folder)/setup.json")) }
}

/// Stands in for training: scores by rule, remembers what it ran, and stops after so many cells.
final class FakeRunner: CellRunner {
    struct Interrupted: Error {}

    private(set) var ran: [CellKey] = []
    /// Which networks were tested on which other dataset.
    private(set) var tested: [String] = []
    private let stopsAfter: Int
    private let dice: (Cell, String) -> [Double]

    init(stopsAfter: Int = .max, dice: @escaping (Cell, String) -> [Double] = FakeRunner.standard) {
        (self.stopsAfter, self.dice) = (stopsAfter, dice)
    }

    func run(_ cell: Cell, in folder: String) throws -> CellOutcome {
        // What a killed training leaves behind.
        try Data("half".utf8).write(to: URL(filePath: "\(folder)/checkpoint"))
        if ran.count == stopsAfter { throw Interrupted() }
        ran.append(cell.key)
        return CellOutcome(
            cases: cell.testCases.map { CaseDice(name: $0, dice: dice(cell, $0)) }, steps: 500, seconds: 61)
    }

    func test(_ cell: Cell, on target: TransferTarget, in folder: String) throws -> CellOutcome {
        if ran.count + tested.count >= stopsAfter { throw Interrupted() }
        tested.append("\(cell.key.id) on \(target.name)")
        return CellOutcome(
            cases: target.cases.map { CaseDice(name: $0, dice: dice(cell, $0)) }, steps: 500, seconds: 2)
    }

    /// Class a: 0.6 in the test case c00, 0.8 in c05; class b: 0.4 in c00, nowhere in c05. Each seed adds 0.02 times
    /// itself. S3D gains 0.11 in class a of c00 and loses 0.05 in class a of c05.
    static func standard(_ cell: Cell, _ name: String) -> [Double] {
        let bonus = 0.02 * Double(cell.key.seed)
        let gain = cell.key.initialization == "scratch" ? 0 : name == "c00" ? 0.11 : -0.05
        return name == "c00" ? [0.6 + bonus + gain, 0.4 + bonus] : [0.8 + bonus + gain, .nan]
    }
}

extension Comparison {
    /// Ten cases, of which c00 and c05 are held out; scratch against S3D on 2 and 4 cases with two seeds: eight cells.
    static func small(
        initializations: [Initialization] = [.scratch, Initialization(name: "S3D", weights: "s3d.safetensors")],
        sizes: [TrainingSize] = [2, 4], split: Split = .everyFifthHeldOut, seeds: [UInt64] = [1, 2],
        classNames: [String] = ["a", "b"], recipe: String = "", transfer: [TransferTarget] = []
    ) throws -> Comparison {
        try Comparison(
            dataset: "Phantoms", caseNames: (0..<10).map { "c0\($0)" }, classNames: classNames,
            initializations: initializations, sizes: sizes, split: split, seeds: seeds, recipe: recipe,
            transfer: transfer)
    }
}
