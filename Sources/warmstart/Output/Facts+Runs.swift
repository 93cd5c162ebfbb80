import Experiments
import Foundation
import Training
import WeightFiles

extension SafetensorsFile {
    /// What the weights are for, and how many there are.
    func facts(listingTensors: Bool) -> Facts {
        var facts = Facts()
        facts.add("content", "weights")
        if let card = TransferCard(metadata: metadata) {
            facts.add("method", card.method)
            facts.add("patch", card.patch.dimensions, text: "\(card.patch) voxels")
            facts.add(
                "spacing_mm", card.spacingMM,
                text: card.spacingMM.map { String(format: "%.4g", $0) }.joined(separator: " x ") + " mm")
            facts.add("normalization", card.normalization, text: card.normalization.joined(separator: ", "))
            facts.add("transferable", card.transferable, text: card.transferable.joined(separator: ", "))
            facts.add(
                "channels_per_stage", card.architecture.features,
                text: card.architecture.features.map(String.init).joined(separator: "/"))
        }
        facts.add("tensors", tensors.count)
        facts.add("parameters", tensors.values.reduce(0) { $0 + $1.count })
        if listingTensors {
            var table = TextTable(columns: ["tensor", "type", "shape"])
            for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
                table.rows.append([
                    "\(name)", "\(tensor.elementType.rawValue)", TextTable.Cell(tensor.shape, "\(tensor.shape)"),
                ])
            }
            facts.add("list", table)
        }
        return facts
    }
}

extension ComparisonResults {
    /// How far the comparison is and what it says.
    var facts: Facts {
        var facts = Facts()
        facts.add("content", "comparison")
        facts.add("dataset", comparison.dataset)
        facts.add("initializations", comparison.initializations.map(\.name), text: names)
        facts.add("finished", [finishedCells, allCells], text: "\(finishedCells) of \(allCells) training runs")
        let sentences = verdicts.map(\.sentence)
        facts.add("verdicts", sentences, text: sentences.isEmpty ? "none yet" : sentences.joined(separator: "\n"))
        return facts
    }

    private var names: String { comparison.initializations.map(\.name).joined(separator: ", ") }
}

/// A run directory, looked at from outside: nothing is locked.
struct RunFolder {
    let path: String

    /// How far the run is.
    var facts: Facts {
        get throws {
            var facts = Facts()
            facts.add("content", "run")
            let log: Data
            do {
                log = try Data(contentsOf: URL(filePath: "\(path)/log.jsonl"))
            } catch {
                facts.add("log", "none", text: "no step logged yet")
                return facts
            }
            let lines = log.split(separator: UInt8(ascii: "\n"))
            facts.add("logged_steps", lines.count)
            if let last = lines.last { facts.add("last_entry", String(decoding: last, as: UTF8.self)) }
            let files = FileManager.default
            facts.add("has_checkpoint", files.fileExists(atPath: "\(path)/checkpoint"))
            facts.add("has_weights", files.fileExists(atPath: "\(path)/weights.safetensors"))
            facts.add("page", "\(path)/index.html")
            return facts
        }
    }
}
