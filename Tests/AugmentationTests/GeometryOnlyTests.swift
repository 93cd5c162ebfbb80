import Augmentation
import Tensors
import Testing
import Volumes

/// A cutter's geometry and its changes of intensities are drawn apart.
struct GeometryOnlyTests {
    private let image = randomPatch(Extent3(depth: 24, height: 20, width: 22))

    private func cut(_ cutter: PatchCutter, step: Int, intensitySeed: UInt64? = nil) throws -> Patch {
        try cutter.patch(
            from: image, foreground: nil, seed: 3, step: step, sample: 0, batch: 1, intensitySeed: intensitySeed)
    }

    @Test(arguments: [
        PatchCutter.segmentation(patch: 12), .survey(patch: 12, intensity: true, geometry: true),
    ])
    func labelsGoWhereTheyGoWithIntensities(cutter: PatchCutter) throws {
        var changed = false
        for step in 0..<8 {
            let (whole, geometry) = (try cut(cutter, step: step), try cut(cutter.geometryOnly, step: step))
            #expect(whole.labels == geometry.labels)
            changed = changed || whole.image != geometry.image
            let other = try cut(cutter, step: step, intensitySeed: 99)
            #expect(other.labels == whole.labels)
            #expect(try cut(cutter, step: step, intensitySeed: 3) == whole)
        }
        #expect(changed)
        let stayed = cutter.geometryOnly.transforms.transforms.filter { !$0.movesVoxels }
        #expect(stayed.isEmpty)
    }
}
