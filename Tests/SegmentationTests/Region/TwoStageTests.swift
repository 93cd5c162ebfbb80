import Networks
import Segmentation
import Tensors
import Testing
import Volumes

struct TwoStageTests {
    private let cpu = CPU(threads: 2)

    /// Sees one class everywhere.
    private func model(sees label: Int, _ plan: Plan = .tiny(transpose: [2, 0, 1]), region: RegionOfInterest? = nil)
        throws -> Ensemble
    {
        let network = try UNet(NetworkPlan(plan), on: cpu)
        network.decoder.lastLayer.bias?.scalars = (0..<3).map { $0 == label ? 5 : 0 }
        var window = SlidingWindow(patch: plan.patch)
        window.mirroredAxes = []
        var card = SegmentationModelCard(
            plan: plan, classes: ["background", "a", "b"].enumerated().map { .init(name: $1, label: Int16($0)) },
            window: window)
        card.region = region
        return try Ensemble([SegmentationModel(path: "sees \(label)", card: card, network: network)], on: cpu)
    }

    @Test(
        "margins are millimetres, rounded up to voxels, and end at the image",
        arguments: [
            (10.0, [0.0, 0, 0, 0, 0, 0], VoxelBox(depth: 8..<22, height: 0..<30, width: 0..<40)),
            (7, [0, 0, 0, 0, 0, 0], VoxelBox(depth: 8..<22, height: 3..<27, width: 0..<34)),
            (0, [0, 0, 0, 0, 0, 0], VoxelBox(depth: 10..<20, height: 10..<20, width: 10..<20)),
            // Faces move by up to 4 mm more or less: 3 and 11 mm around 7.
            (7, [-1, -1, -1, 1, 1, 1], VoxelBox(depth: 9..<23, height: 7..<31, width: 4..<40)),
        ] as [(Double, [Double], VoxelBox)])
    func geometry(margin: Double, shift: [Double], expected: VoxelBox) {
        let interest = RegionOfInterest(marginMM: margin, jitterMM: min(4, margin))
        #expect(
            interest.box(
                around: VoxelBox(depth: 10..<20, height: 10..<20, width: 10..<20), in: Extent3(40),
                spacingMM: [5, 1, 0.5], shift: shift) == expected)
    }

    @Test(
        "the second stage looks at the box around the labels of the first, on the file's own turned grid",
        arguments: [[1.0, 1, 1], [2.5, 0.8, 1.5]])
    func pasted(spacing: [Double]) throws {
        let image = Volume.turned()
        let region = RegionOfInterest(marginMM: 3)
        let fine = try model(sees: 2, .tiny(spacingMM: spacing, transpose: [2, 0, 1]), region: region)
        var found = LabelVolume(
            labels: [Int16](repeating: 0, count: image.extent.volume), geometry: image.geometry)
        let structure = VoxelBox(depth: 4..<6, height: 5..<7, width: 1..<6)
        for depth in structure.depth {
            for height in structure.height {
                for width in structure.width { found.labels[(depth * 14 + height) * 21 + width] = 1 }
            }
        }
        let looking = fine.looking(around: found)
        let box = try #require(looking.part)
        #expect(box == region.box(around: structure, in: image.extent, spacingMM: image.spacingMM))
        let labels = try looking.segment(image).labels
        for depth in 0..<9 {
            for height in 0..<14 {
                for width in 0..<21 {
                    // The image's first two columns are empty: outside of what any network sees.
                    let isSeen =
                        box.depth.contains(depth) && box.height.contains(height) && box.width.contains(width)
                        && width >= 2
                    #expect(labels[(depth * 14 + height) * 21 + width] == (isSeen ? 2 : 0))
                }
            }
        }
        // What is not known does not vary: background for sure beyond the box.
        let uncertain = try looking.segmentWithUncertainty(image) { _, _ in }
        #expect(uncertain.labels.labels == labels)
        #expect(uncertain.uncertainty.map(.entropy).last == 0)
    }

    @Test("where the first stage finds nothing the second one sees the whole image, and says so")
    func emptyCoarseMask() throws {
        let image = Volume.turned()
        let fine = try model(sees: 2, region: RegionOfInterest(marginMM: 1))
        for (label, expected) in [(0, 1), (1, 0)] {
            var both = try TwoStageSegmenter(coarse: model(sees: label, .tiny(spacingMM: [4, 4, 4])), fine: fine)
            var empty = 0
            both.foundNothing = { empty += 1 }
            // A first stage that finds everything points to everything, too.
            #expect(try both.segment(image).labels == fine.segment(image).labels)
            #expect(empty == expected)
        }
    }

    @Test func intensitiesAreNormalizedAsInTheWholeImage() throws {
        let image = Volume.turned()
        let preprocessing = Preprocessing(spacingMM: image.spacingMM, normalization: [.zScore(insideOnly: false)])
        let part = VoxelBox(depth: 2..<7, height: 3..<9, width: 0..<11)
        let (whole, some) = (try preprocessing(image, on: cpu), try preprocessing(image, part: part, on: cpu))
        // Two empty columns are cropped in both.
        #expect(whole.extent.width == 19 && some.extent == Extent3(depth: 5, height: 6, width: 9))
        let local = VoxelBox(depth: 2..<7, height: 3..<9, width: 0..<9)
        #expect(some.voxels == local.cropped(whole.voxels, from: whole.extent))
        // A part that holds nothing but emptiness keeps all.
        let empty = VoxelBox(depth: 0..<9, height: 0..<14, width: 0..<2)
        #expect(try preprocessing(image, part: empty, on: cpu).voxels == whole.voxels)
    }

    @Test func modelsThatDoNotFitAreRefused() throws {
        let (whole, region) = (try model(sees: 1), try model(sees: 1, region: RegionOfInterest(marginMM: 1)))
        #expect(throws: SegmentationError.noRegion(path: "sees 1")) {
            _ = try TwoStageSegmenter(coarse: whole, fine: whole)
        }
        #expect(throws: SegmentationError.self) { _ = try Ensemble(whole.models + region.models, on: cpu) }
        var plan = Plan.tiny()
        plan.channels[0].name = "CT"
        let other = try model(sees: 1, plan)
        #expect(throws: SegmentationError.self) { _ = try TwoStageSegmenter(coarse: other, fine: region) }
    }

    @Test func trainingSeesRegionsThatMove() throws {
        let folder = try TemporaryFolder()
        let dataset = try Phantom.smallDataset(in: folder, cases: 1, on: cpu, spacingMM: [3, 1.5, 2])
        let plan = Plan.tiny(spacingMM: [3, 1.5, 2])
        let item = try LabeledCase(dataset.trainingCases[0], of: dataset, plan: plan, on: cpu)
        #expect(item.spacingMM == [3, 1.5, 2])
        let region = RegionOfInterest(marginMM: 6, jitterMM: 4)
        let seen = try item.inRegion(region, ignoring: nil)
        let place = try #require(seen.region)
        // 6 mm are 2, 4 and 3 voxels.
        for (axis, margin) in [2, 4, 3].enumerated() {
            #expect(place.box[axis].lowerBound == max(0, place.structure[axis].lowerBound - margin))
            #expect(place.box[axis].upperBound == min(place.extent[axis], place.structure[axis].upperBound + margin))
        }
        let validated = seen.validated
        #expect(validated.source.extent == place.box.extent)
        #expect(try validated.voxelCounts(labels: 3)[1...] == item.voxelCounts(labels: 3)[1...], "nothing is cut off")

        func batches(_ item: LabeledCase) throws -> SegmentationBatches {
            try SegmentationBatches(
                of: [item], cutter: .plain(patch: 48), batchSize: 4, seed: 1)
        }
        // Patches are larger than the image: they hold all that is seen.
        let (all, some) = (try batches(item).batch(step: 0), try batches(seen).batch(step: 0))
        let volume = 48 * 48 * 48
        func shown(_ batch: SegmentationBatch) -> [Int] {
            (0..<4).map { sample in
                let voxels = batch.images[sample * volume..<(sample + 1) * volume]
                return voxels.count { $0 != 0 }
            }
        }
        // Less of what lies around the structure, and not always as much, but all of the structure.
        #expect(Set(shown(all)).count == 1 && Set(shown(some)).count > 1)
        #expect(zip(shown(some), shown(all)).allSatisfy { $0 < $1 })
        let structure = try item.voxelCounts(labels: 3)[1...].reduce(0, +)
        #expect(some.labels.labels.count { $0 > 0 } == 4 * structure)
        #expect(try batches(seen).batch(step: 0).images == some.images)
        // Without foreground all of the case is seen.
        let blank = LabeledCase(
            name: "blank", source: Patch(image: [1], channels: 1, labels: [0], extent: 1), foreground: nil)
        #expect(try blank.inRegion(region, ignoring: nil).region == nil)
    }
}
