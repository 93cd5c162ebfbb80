import ArgumentParser
import Foundation
import Volumes

extension Phantom.Kind: ExpressibleByArgument {}
extension Phantom.Contrast: ExpressibleByArgument {}

struct PhantomCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phantom",
        abstract: "Make up a labeled dataset, for trying things out where no data are at hand.",
        discussion: """
            Example: twenty labeled hippocampus crops and fifty without labels for pre-training
              warmstart phantom --kind hippocampus --cases 20 --unlabeled 50 --out phantoms
            """)

    @Option(help: "What to make up.")
    var kind: Phantom.Kind

    @Option(help: "The number of labeled cases.")
    var cases: Int

    @Option(help: "The number of cases without labels, written to imagesTs.")
    var unlabeled = 0

    @Option(
        parsing: .upToNextOption, help: "How tissues look; each case has one of these (default: typical of the kind).")
    var contrast: [Phantom.Contrast] = []

    @Option(help: "The dataset's name (default: the folder's).")
    var name: String?

    @Option(help: "The dataset's folder; it must not exist yet.")
    var out: String

    @OptionGroup var seed: SeedOptions
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard cases >= 1 else { throw ValidationError("--cases must be at least 1, got \(cases).") }
        guard unlabeled >= 0 else { throw ValidationError("--unlabeled cannot be negative, got \(unlabeled).") }
    }

    func run() throws {
        let phantom = Phantom(kind, contrasts: contrast.isEmpty ? nil : contrast)
        let progress = CaseProgress("making up", total: cases + unlabeled)
        try phantom.writeDataset(
            to: out, name: name ?? URL(filePath: out).lastPathComponent, cases: cases, unlabeled: unlabeled,
            seed: seed.seed, on: compute.cpu
        ) { _ in progress.advance() }
        progress.finish()
        print("\(out): \(cases) labeled cases" + (unlabeled > 0 ? ", \(unlabeled) without labels" : ""))
    }
}
