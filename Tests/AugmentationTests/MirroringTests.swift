import Augmentation
import Tensors
import Testing
import Volumes

@Suite struct MirroringTests {
    private let patch = randomPatch(Extent3(depth: 3, height: 4, width: 5), channels: 2)

    @Test("twice is nothing, once reverses one axis of image and labels", arguments: [0, 1, 2])
    func mirrors(axis: Int) {
        var mirrored = patch
        mirrored.mirror(along: axis)
        let sizes = [3, 4, 5]
        for index in 0..<60 {
            var place = [index / 20, index / 5 % 4, index % 5]
            place[axis] = sizes[axis] - 1 - place[axis]
            let from = (place[0] * 4 + place[1]) * 5 + place[2]
            #expect(mirrored.labels![index] == patch.labels![from])
            #expect(mirrored.image[index] == patch.image[from])
            #expect(mirrored.image[60 + index] == patch.image[60 + from])
        }
        mirrored.mirror(along: axis)
        #expect(mirrored == patch)
    }

    @Test func eachAxisIsMirroredHalfOfTheTime() {
        let mark = Patch(image: [0, 1, 2, 3, 4, 5, 6, 7], channels: 1, labels: nil, extent: 2)
        var counts: [Float: Int] = [:]
        for step in 0..<4000 {
            var (result, draws) = (mark, Draws.of(step: step))
            Mirroring().apply(to: &result, draws: &draws)
            counts[result.image[0], default: 0] += 1
        }
        #expect(counts.count == 8, "all combinations of three axes occur")
        #expect(counts.values.allSatisfy { (400...600).contains($0) })
    }

    @Test func onlyAllowedAxesAreMirrored() {
        for step in 0..<20 {
            var (result, draws) = (patch, Draws.of(step: step))
            Mirroring(axes: [2], probability: 1).apply(to: &result, draws: &draws)
            var expected = patch
            expected.mirror(along: 2)
            #expect(result == expected)
        }
    }
}
