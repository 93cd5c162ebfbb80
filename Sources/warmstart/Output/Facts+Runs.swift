import Experiments
import Foundation
import Training
import WeightFiles

extension WeightsFile {
    /// Whose the weights are, what they are for, how many there are, and what was left behind.
    func facts(listingTensors: Bool) -> Facts {
        var facts = Facts()
        facts.add("content", "weights")
        facts.add("layout", layout.rawValue, text: layout.title)
        facts.add("network", network.rawValue, text: network.title)
        if let card = cardAsUNet {
            facts.add("method", card.method)
            facts.add("patch", card.patch.dimensions, text: "\(card.patch) voxels")
            facts.add(
                "spacing_mm", card.spacingMM,
                text: card.spacingMM.allSatisfy { $0 == 0 }
                    ? "the images' own"
                    : card.spacingMM.map { String(format: "%.4g", $0) }.joined(separator: " x ") + " mm")
            facts.add("normalization", card.normalization, text: card.normalization.joined(separator: ", "))
            if !card.intensities.isEmpty {
                facts.add(
                    "intensities", card.intensities,
                    text: card.intensities.map {
                        String(
                            format: "%.4g to %.4g, mean %.4g, deviation %.4g", $0.lower, $0.upper, $0.mean, $0.deviation
                        )
                    }.joined(separator: "; "))
            }
            facts.add("transferable", card.transferable, text: card.transferable.joined(separator: ", "))
        }
        if let plan {
            facts.add("architecture", plan.architecture.rawValue)
            facts.add(
                "channels_per_stage", plan.features, text: plan.features.map(String.init).joined(separator: "/"))
            facts.add("blocks_per_stage", plan.blocks, text: plan.blocks.map(String.init).joined(separator: "/"))
        }
        if let plan = planAsUNet {
            facts.add(
                "encoder", plan.encoderTitle, text: "\(plan.encoderTitle); fine-tune it with plan.preset=of-weights")
        }
        let canonical = weights.canonicalTensors
        facts.add("tensors", canonical.count)
        facts.add("parameters", canonical.values.reduce(0) { $0 + $1.count })
        let disagreeing = weights.disagreeingNames.count
        if disagreeing > 0 {
            facts.add(
                "disagreeing", disagreeing,
                text: "\(disagreeing) weights differ between their names; all_modules is read")
        }
        if !reshaped.isEmpty { facts.add("reshaped", reshapedTable) }
        if !skipped.isEmpty { facts.add("skipped", skippedTable(byName: listingTensors)) }
        if listingTensors {
            var table = TextTable(columns: ["tensor", "type", "shape"])
            for (name, tensor) in canonical.sorted(by: { $0.key < $1.key }) {
                table.rows.append([
                    "\(name)", "\(tensor.elementType.rawValue)", TextTable.Cell(tensor.shape, "\(tensor.shape)"),
                ])
            }
            facts.add("list", table)
        }
        return facts
    }

    private var reshapedTable: TextTable {
        var table = TextTable(columns: ["reshaped", "from", "to", "how"])
        for tensor in reshaped {
            table.rows.append([
                "\(tensor.name)", TextTable.Cell(tensor.from, "\(tensor.from)"),
                TextTable.Cell(tensor.to, "\(tensor.to)"), "\(tensor.how)",
            ])
        }
        return table
    }

    /// What was left behind: each tensor, or how many there are for each reason.
    private func skippedTable(byName: Bool) -> TextTable {
        var table = TextTable(columns: byName ? ["skipped", "reason"] : ["skipped", "tensors"])
        if byName {
            table.rows = skipped.map { ["\($0.name)", "\($0.reason)"] }
        } else {
            table.numeric = [1]
            for (reason, tensors) in Dictionary(grouping: skipped, by: \.reason).sorted(by: { $0.key < $1.key }) {
                table.rows.append(["\(reason)", TextTable.Cell(tensors.count)])
            }
        }
        return table
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
