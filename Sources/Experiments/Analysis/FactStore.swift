import Foundation
import Tensors
import Volumes
import WeightFiles

/// The facts of a comparison's finished cells: measured from their predictions when first asked for, then read.
struct FactStore {
    /// The comparison's folder.
    let folder: String
    let dataset: NNUNetDataset
    let cpu: CPU

    /// The folder of a cell's predictions.
    func predictions(of cell: Cell) -> String { "\(CellStore(folder: folder).folder(of: cell))/run/predictions" }

    /// The facts of a finished cell; nil if its predictions are not there any more. Damaged facts are measured again.
    /// - Throws: errors of files.
    func facts(of cell: Cell) throws -> CellFacts? {
        let file = "\(CellStore(folder: folder).folder(of: cell))/facts.json"
        if let data = FileManager.default.contents(atPath: file),
            let facts = try? CellFacts(sealedFile: data), facts.version == CellFacts.version,
            facts.cases.map(\.name) == cell.testCases
        {
            return facts
        }
        let predictions = predictions(of: cell)
        guard cell.testCases.allSatisfy({ FileManager.default.fileExists(atPath: "\(predictions)/\($0).nii.gz") })
        else { return nil }
        let facts = try CellFacts(predictions: predictions, cases: cell.testCases, dataset: dataset, on: cpu)
        try AtomicFile.write(try facts.sealedFile(), to: file)
        return facts
    }
}
