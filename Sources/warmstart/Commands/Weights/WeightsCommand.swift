import ArgumentParser

struct WeightsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weights",
        abstract: "List, show, convert, export and publish weights.",
        subcommands: [
            WeightsList.self, WeightsShow.self, WeightsConvert.self, WeightsExport.self, WeightsPublish.self,
        ])
}
