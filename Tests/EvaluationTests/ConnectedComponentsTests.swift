import Evaluation
import Tensors
import Testing

@Suite("Connected components")
struct ConnectedComponentsTests {
    private let cpu = CPU(threads: 2)

    @Test("faces, edges and corners connect", arguments: zip(Connectivity.allCases, [[1, 1, 1], [2, 1], [3]]))
    func neighbours(connectivity: Connectivity, sizes: [Int]) {
        var voxels = [UInt8](repeating: 0, count: 27)
        voxels[0] = 1  // (0, 0, 0)
        voxels[4] = 1  // (0, 1, 1): shares an edge with the first
        voxels[9 + 8] = 1  // (1, 2, 2): shares a corner with the second
        let components = ConnectedComponents(
            of: BinaryMask(extent: 3, voxels: voxels), connectivity: connectivity, on: cpu)
        #expect(components.sizes == sizes)
    }

    @Test(
        "components are those of a flood fill", arguments: Connectivity.allCases, [0.1, 0.25, 0.4, 0.7])
    func floodFill(connectivity: Connectivity, density: Double) {
        let extent = Extent3(depth: 7, height: 9, width: 12)
        var draws = Draws(seed: 8, purpose: "test mask")
        let mask = BinaryMask(
            extent: extent, voxels: (0..<extent.volume).map { _ in draws.uniform() < density ? 1 : 0 })
        let components = ConnectedComponents(of: mask, connectivity: connectivity, on: cpu)
        let expected = fill(mask, connectivity)
        #expect(components.sizes == expected.map(\.count))
        var labels = [Int32](repeating: 0, count: extent.volume)
        for (place, voxels) in expected.enumerated() { for voxel in voxels { labels[voxel] = Int32(place + 1) } }
        #expect(components.labels == labels)
        #expect(components.largest.voxels == labels.map { $0 == 1 ? 1 : 0 })
        let kept = Set(expected.filter { $0.count >= 3 }.joined())
        #expect(components.withoutSmall(minimumSize: 3).voxels == (0..<extent.volume).map { kept.contains($0) ? 1 : 0 })
        let touched = components.touched(by: BinaryMask(extent: extent, voxels: labels.map { $0 == 2 ? 1 : 0 }))
        #expect(touched == expected.indices.map { $0 == 1 })
    }

    @Test("an empty mask has none")
    func empty() {
        let components = ConnectedComponents(
            of: BinaryMask(extent: 4, voxels: Array(repeating: 0, count: 64)), connectivity: .faces, on: cpu)
        #expect(components.count == 0 && components.largest.isEmpty)
    }

    /// Components by depth-first search, largest first, then by their first voxel.
    private func fill(_ mask: BinaryMask, _ connectivity: Connectivity) -> [[Int]] {
        let extent = mask.extent
        var seen = Set<Int>()
        var components: [[Int]] = []
        for start in mask.voxels.indices where mask.voxels[start] == 1 && seen.insert(start).inserted {
            var (component, stack) = ([Int](), [start])
            while let voxel = stack.popLast() {
                component.append(voxel)
                for step in 0..<27 {
                    let (d, h, w) = (step / 9 - 1, step / 3 % 3 - 1, step % 3 - 1)
                    let axes = abs(d) + abs(h) + abs(w)
                    guard axes > 0, axes <= (connectivity == .faces ? 1 : connectivity == .edges ? 2 : 3) else {
                        continue
                    }
                    let place = (
                        voxel / (extent.height * extent.width) + d, voxel / extent.width % extent.height + h,
                        voxel % extent.width + w
                    )
                    guard (0..<extent.depth).contains(place.0), (0..<extent.height).contains(place.1),
                        (0..<extent.width).contains(place.2)
                    else { continue }
                    let next = (place.0 * extent.height + place.1) * extent.width + place.2
                    if mask.voxels[next] == 1, seen.insert(next).inserted { stack.append(next) }
                }
            }
            components.append(component)
        }
        return components.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
    }
}
