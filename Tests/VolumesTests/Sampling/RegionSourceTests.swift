import Tensors
import Testing
import Volumes

@Suite struct RegionSourceTests {
    private let extent = Extent3(depth: 4, height: 5, width: 6)
    private let region = VoxelBox(depth: 1..<3, height: 1..<5, width: 2..<6)

    private func numbered() -> Patch {
        Patch(
            image: (0..<2 * extent.volume).map(Float.init), channels: 2,
            labels: (0..<extent.volume).map { Int16($0 % 7) }, extent: extent)
    }

    @Test func whatLiesBeyondTheRegionIsNotThere() throws {
        let (whole, source) = (numbered(), RegionSource(of: numbered(), in: region))
        #expect(source.extent == region.extent && source.channels == 2 && source.isLabeled)
        // The region itself, and a box around it.
        #expect(try source.patch(in: VoxelBox(whole: source.extent)) == whole.patch(in: region))
        let wide = try source.patch(in: VoxelBox(origin: [-1, -1, -1], extent: Extent3(8)))
        for depth in 0..<8 {
            for height in 0..<8 {
                for width in 0..<8 {
                    let place = [depth, height, width]
                    // One voxel of margin lies before the region.
                    let there = (0..<3).map { region[$0].lowerBound + place[$0] - 1 }
                    let isInside = (0..<3).allSatisfy { region[$0].contains(there[$0]) }
                    let target = (depth * 8 + height) * 8 + width
                    let index = isInside ? (there[0] * extent.height + there[1]) * extent.width + there[2] : 0
                    let expected = (image: isInside ? Float(index) : 0, label: isInside ? Int16(index % 7) : -1)
                    #expect(wide.image[target] == expected.image)
                    #expect(wide.labels?[target] == expected.label)
                }
            }
        }
        // Far away there is nothing, though the image has voxels there.
        let far = try RegionSource(of: numbered(), in: region).patch(in: VoxelBox(origin: [-1, 0, 0], extent: 1))
        #expect(far.image == [0, 0] && far.labels == [-1])
    }

    @Test func foregroundIsCountedFromTheRegion() {
        let voxels = ForegroundVoxels(classes: [
            .init(label: 1, voxels: [Int32((1 * 5 + 1) * 6 + 2), Int32((2 * 5 + 4) * 6 + 5), 0]),
            .init(label: 2, voxels: [Int32(extent.volume - 1)]),
        ])
        #expect(
            voxels.inside(region, of: extent)
                == ForegroundVoxels(classes: [.init(label: 1, voxels: [0, Int32(region.extent.volume - 1)])]))
    }

    @Test func theBoxAroundLabels() {
        var labels = [Int16](repeating: 0, count: extent.volume)
        #expect(VoxelBox(around: labels, extent: extent) == nil)
        labels[(1 * 5 + 2) * 6 + 3] = 1
        labels[(3 * 5 + 0) * 6 + 3] = 2
        labels[0] = -1
        #expect(
            VoxelBox(around: labels, extent: extent) == VoxelBox(depth: 1..<4, height: 0..<3, width: 3..<4))
        #expect(
            VoxelBox(around: labels, extent: extent, ignoring: 2)
                == VoxelBox(depth: 1..<2, height: 2..<3, width: 3..<4))
    }
}
