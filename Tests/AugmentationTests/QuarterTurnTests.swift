import Augmentation
import Tensors
import Testing
import Volumes

struct QuarterTurnTests {
    /// NumPy: `rot90([[0, 1], [2, 3]])` is `[[1, 3], [0, 2]]`.
    @Test func oneQuarterIsNumPys() {
        var plane = Patch(
            image: [0, 1, 2, 3], channels: 1, labels: [0, 1, 2, 3], extent: Extent3(depth: 1, height: 2, width: 2))
        plane.turn(quarters: 1, firstAxis: 1)
        #expect(plane.image == [1, 3, 0, 2] && plane.labels == [1, 3, 0, 2])
    }

    @Test("four quarters are none, and three undo one", arguments: [0, 1])
    func group(axis: Int) {
        let extent = axis == 0 ? Extent3(depth: 5, height: 5, width: 3) : Extent3(depth: 3, height: 5, width: 5)
        let patch = randomPatch(extent, channels: 2)
        func turned(_ quarters: Int...) -> Patch {
            var patch = patch
            for count in quarters { patch.turn(quarters: count, firstAxis: axis) }
            return patch
        }
        #expect(turned(1) != patch && turned(1, 1) == turned(2) && turned(1, 2) == turned(3))
        #expect(turned(4) == patch && turned(1, 3) == patch && turned(-1) == turned(3))
        var mirrored = patch
        mirrored.mirror(along: axis)
        mirrored.mirror(along: axis + 1)
        #expect(turned(2) == mirrored)
    }
}
