import Segmentation
import Tensors
import Testing
import Volumes

struct PostProcessingTests {
    private let cpu = CPU(threads: 1)
    private static let extent = Extent3(depth: 1, height: 3, width: 9)

    /// A label map drawn in text, a row per line.
    private func map(_ rows: String...) -> [Int16] { rows.joined().compactMap { Int16(String($0)) } }

    private func apply(_ steps: [PostProcessing.Step], _ labels: [Int16], faces: Bool = false) -> [Int16] {
        PostProcessing(steps, connectivity: faces ? .faces : .corners).applied(
            to: labels, extent: Self.extent, on: cpu)
    }

    @Test func theLargestComponentOfAClassStays() {
        let labels = map("110020000", "110020011", "000022000")
        let kept = apply([.keepLargest(labels: [1])], labels)
        #expect(kept == map("110020000", "110020000", "000022000"))
        #expect(apply([.keepLargest(labels: [1])], kept) == kept, "again changes nothing")
        // Of all foreground together.
        #expect(
            apply([.keepLargest(labels: [1, 2])], labels)
                == map("110020000", "110020000", "000022000").enumerated().map {
                    $0.offset % 9 < 2 ? $0.element : $0.element == 2 ? 2 : 0
                })
        #expect(apply([.keepLargest(labels: [3])], labels) == labels, "a class that is not there")
        let empty = [Int16](repeating: 0, count: 27)
        #expect(apply([.keepLargest(labels: [1]), .removeSmall(label: 2, voxels: 5)], empty) == empty)
    }

    @Test func equallyLargeComponentsAllStay() {
        let labels = map("110000011", "000010000", "000000000")
        #expect(apply([.keepLargest(labels: [1])], labels) == map("110000011", "000000000", "000000000"))
    }

    @Test func connectivityDecidesWhatIsOneComponent() {
        let labels = map("110000000", "001100000", "000000000")
        #expect(apply([.keepLargest(labels: [1])], labels) == labels)
        #expect(apply([.removeSmall(label: 1, voxels: 3)], labels) == labels)
        #expect(apply([.removeSmall(label: 1, voxels: 3)], labels, faces: true).allSatisfy { $0 == 0 })
    }

    @Test func smallObjectsOfAClassGoTheOthersStay() {
        let labels = map("111020200", "000000000", "100000000")
        #expect(apply([.removeSmall(label: 1, voxels: 2)], labels) == map("111020200", "000000000", "000000000"))
        #expect(apply([.removeSmall(label: 1, voxels: 1)], labels) == labels)
        #expect(
            apply([.relabelSmall(label: 2, to: 1, voxels: 3)], labels) == map("111010100", "000000000", "100000000"))
        #expect(apply([.relabelSmall(label: 2, to: 1, voxels: 2)], labels) == labels)
    }

    @Test func crossValidationTakesWhatHelps() {
        // Class 1 has a false island in each case; class 2 truly has two parts.
        let reference = map("110000022", "110000000", "000000022")
        let prediction = map("110010022", "110000000", "000000022")
        let cases = (0..<3).map { _ in
            PostProcessing.CrossValidated(prediction: prediction, reference: reference, extent: Self.extent)
        }
        let chosen = PostProcessing.chosen(on: cases, classes: [1, 2], cpu: cpu)
        #expect(chosen.steps == [.keepLargest(labels: [1])])
        // With true predictions nothing is gained, so nothing is done.
        let right = PostProcessing.CrossValidated(prediction: reference, reference: reference, extent: Self.extent)
        #expect(PostProcessing.chosen(on: [right], classes: [1, 2], cpu: cpu).steps.isEmpty)
        // One structure and islands of either class around it: all foreground together.
        let whole = map("112200000", "112200000", "000000000")
        let islands = map("112200001", "112200000", "000000002")
        let nested = PostProcessing.CrossValidated(prediction: islands, reference: whole, extent: Self.extent)
        #expect(
            PostProcessing.chosen(on: [nested], classes: [1, 2], cpu: cpu).steps.first == .keepLargest(labels: [1, 2]))
    }

    @Test func nestedRegionsStopContradictingEachOther() {
        let regions = [
            NNUNetDataset.LabelRegion(name: "whole", labels: [1, 2, 3], writtenLabel: 1),
            .init(name: "core", labels: [2, 3], writtenLabel: 2),
            .init(name: "enhancing", labels: [3], writtenLabel: 3),
        ]
        let scores: [Float] = [-1, 2, 3, 4, 1, -2, 5, 0, -3, 6, -1, 9]  // three regions of four voxels
        let outward = HierarchyConsistency.outward.applied(to: scores, regions: regions)
        #expect(outward == [1, 6, 5, 9, 1, 6, 5, 9, -3, 6, -1, 9])
        let inward = HierarchyConsistency.inward.applied(to: scores, regions: regions)
        #expect(inward == [-1, 2, 3, 4, -1, -2, 3, 0, -3, -2, -1, 0])
        for (rule, result) in [(HierarchyConsistency.outward, outward), (.inward, inward)] {
            #expect(rule.applied(to: result, regions: regions) == result, "consistent scores stay")
            for voxel in 0..<4 { #expect(result[voxel] >= result[4 + voxel] && result[4 + voxel] >= result[8 + voxel]) }
        }
    }

    @Test func regionsArePaintedOneOverTheOther() {
        let decision = LabelDecision.regions(writtenLabels: [1, 2, 3])
        #expect(decision.labels([1, 1, 1, -1, -1, 1, 1, -1, -1, -1, 2, -1], channels: 3) == [1, 2, 3, 0])
        #expect(LabelDecision.largest.labels([0, 5, 1, 5, 5, 1], channels: 3) == [2, 0], "of equals, the first")
    }
}
