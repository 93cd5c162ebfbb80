import Evaluation
import Segmentation
import Training

extension RecipeSection {
    /// Reads what is corrected in predictions: `hierarchy`, `largest_component`, `smallest_objects`, `connectivity`.
    func corrections() throws -> (HierarchyConsistency?, PostProcessing?) {
        let words = HierarchyConsistency.allCases.map(\.rawValue)
        let hierarchy = HierarchyConsistency(
            rawValue: try choice("hierarchy", among: ["none"] + words, default: "none"))
        let largest = try integers("largest_component", default: [], in: 1...Int(Int16.max))
        let smallest = try sections("smallest_objects", defaultCount: 0).map { part in
            PostProcessing.Step.removeSmall(
                label: Int16(try part.integer("label", in: 1...Int(Int16.max))),
                voxels: try part.integer("voxels", in: 1...Int(Int32.max)))
        }
        let number = try integer("connectivity", default: Connectivity.corners.rawValue)
        guard let connectivity = Connectivity(rawValue: number) else {
            throw error(at: "connectivity", "expected 6 (faces), 18 (edges) or 26 (corners), found \(number)")
        }
        let steps = largest.map { PostProcessing.Step.keepLargest(labels: [Int16($0)]) } + smallest
        return (hierarchy, steps.isEmpty ? nil : PostProcessing(steps, connectivity: connectivity))
    }
}
