import ArgumentParser
import Experiments
import Foundation
import Training

/// `warmstart benchmark tricks`: times the variants of some comparisons, each in a process of its own, whose memory tells of
/// nothing else.
struct TrickTimer {
    /// The comparisons.
    let recipes: [ExistingPath]
    /// The only variant to time, in this process; nil: all.
    let variant: String?
    /// The edge of the cubic patch of the recipes; variants may have another one.
    let edge: Int
    let compute: ComputeOptions
    var steps = 5
    var printsJSON = false

    init(recipes: [ExistingPath], variant: String?, edge: Int, compute: ComputeOptions) {
        let tables = ["losses", "tricks", "adapters", "memory"].map {
            ExistingPath(argument: "Finetune/compare-\($0)-cpu.yaml")
        }
        (self.recipes, self.variant) = (recipes.isEmpty ? tables : recipes, variant)
        (self.edge, self.compute) = (edge, compute)
    }

    /// Prints a table for each comparison, or gives every line to `report`.
    func run(report: (TrickBenchmark.Measurement) throws -> Void) throws {
        let tables = try recipes.map { file in
            let path = try file.required()
            return (
                path: path,
                variants: try ComparisonRecipe.load(path, overrides: ["plan.patch=[\(edge), \(edge), \(edge)]"])
                    .variants
            )
        }
        if let variant { return try time(variant, of: tables.flatMap(\.variants), report: report) }
        var progress = Training.Progress("timing", total: tables.reduce(0) { $0 + $1.variants.count }, unit: "recipe")
        var done = 0
        for (path, variants) in tables {
            var rows: [TrickBenchmark.Measurement] = []
            for variant in variants {
                let row = try inOwnProcess(variant.name, of: path)
                rows.append(row.compared(with: rows.first ?? row))
                if printsJSON { try report(rows[rows.count - 1]) }
                done += 1
                progress.advance(to: done, note: variant.name)
            }
            let title = URL(filePath: path).deletingPathExtension().lastPathComponent
            if !printsJSON { print("\(TrickTable(rows, title: title).text)\n") }
        }
        progress.finish()
    }

    private func time(
        _ name: String, of variants: [ComparisonRecipe.Variant], report: (TrickBenchmark.Measurement) throws -> Void
    ) throws {
        guard let variant = variants.first(where: { $0.name == name }) else {
            throw ValidationError(
                "--variant must be one of \(variants.map(\.name).joined(separator: ", ")), got \(name).")
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "warmstart-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var benchmark = TrickBenchmark(in: folder, on: compute.cpu)
        benchmark.steps = steps
        try report(try benchmark.measure(variant))
    }

    /// What this tool measures when it is started for one variant.
    private func inOwnProcess(_ name: String, of path: String) throws -> TrickBenchmark.Measurement {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments =
            ["benchmark", "tricks", "--recipes", path, "--variant", name, "--patch", "\(edge)", "--runs", "\(steps)"]
            + ["--precision", compute.precision.rawValue] + (compute.threads.map { ["--threads", "\($0)"] } ?? [])
        process.standardOutput = output
        try process.run()
        let line = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationReason == .exit else {
            throw ValidationError(
                "the process that timed \(name) was killed by signal \(process.terminationStatus), as the system does when "
                    + "memory runs out. Give a smaller --patch.")
        }
        // It has said why.
        guard process.terminationStatus == 0 else { throw ExitCode(process.terminationStatus) }
        return try JSONDecoder().decode(TrickBenchmark.Measurement.self, from: line)
    }
}
