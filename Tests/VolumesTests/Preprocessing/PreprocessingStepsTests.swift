import Foundation
import Tensors
import Testing
import Volumes

@Suite struct PreprocessingStepsTests {
    private let cpu = CPU(threads: 2)

    @Test("z-score gives mean 0 and deviation 1 on the masked voxels and leaves the others alone")
    func zScore() {
        var draws = Draws(seed: 1, purpose: "zscore")
        let voxels = (0..<100_000).map { _ in Float(300 + 40 * draws.normal()) }
        let isInside = (0..<100_000).map { $0 % 3 != 0 }
        var normalized = voxels
        normalized.withUnsafeMutableBufferPointer {
            Normalization.zScore(insideOnly: true).apply(to: $0, isInside: isInside, on: cpu)
        }
        let inside = normalized.indices.filter { isInside[$0] }.map { Double(normalized[$0]) }
        let mean = inside.reduce(0, +) / Double(inside.count)
        let variance = inside.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(inside.count)
        #expect(abs(mean) < 1e-6 && abs(variance - 1) < 1e-5)
        #expect(normalized.indices.filter { !isInside[$0] }.allSatisfy { normalized[$0] == voxels[$0] })
    }

    static let expectedValues: [(Normalization, [Float])] = [
        (.ct(CTStatistics(mean: 10, deviation: 4, lower: 0, upper: 20)), [-2.5, -2.5, 0, 2.5]),
        (.zeroToOne, [0, 0.25, 0.5, 1]),
        (.window(lower: 0, upper: 20), [0, 0, 0.5, 1]),
        // NumPy: x = clip(x, *percentile(x, [0.5, 99.5])); (x - x.mean()) / x.std()
        (.clippedZScore, [-1.183212, -0.510020, 0.173424, 1.519807]),
        (.rgb, [-10.0 / 255, 0, 10.0 / 255, 30.0 / 255]),
        (.none, [-10, 0, 10, 30]),
    ]

    @Test("closed forms", arguments: PreprocessingStepsTests.expectedValues)
    func closedForms(normalization: Normalization, expected: [Float]) {
        var voxels: [Float] = [-10, 0, 10, 30]
        voxels.withUnsafeMutableBufferPointer { normalization.apply(to: $0, isInside: nil, on: cpu) }
        for (found, wanted) in zip(voxels, expected) { #expect(abs(found - wanted) < 1e-6) }
    }

    @Test("a constant image becomes zero, not infinite")
    func constant() {
        for scheme in [Normalization.zScore(insideOnly: false), .clippedZScore, .zeroToOne] {
            var voxels = [Float](repeating: 7, count: 50)
            voxels.withUnsafeMutableBufferPointer { scheme.apply(to: $0, isInside: nil, on: cpu) }
            #expect(voxels.allSatisfy { $0 == 0 })
        }
    }

    @Test("the non-zero region agrees with a plain flood fill", arguments: 0..<6)
    func region(seed: Int) {
        let extent = Extent3(depth: 9, height: 8, width: 10)
        var draws = Draws(seed: UInt64(seed), purpose: "region")
        var voxels = [Float](repeating: 0, count: 2 * extent.volume)
        for index in voxels.indices where draws.chance(0.22 + 0.05 * Double(seed)) {
            let place = index % extent.volume
            let (d, h, w) = (place / 80, place / 10 % 8, place % 10)
            if (1...7).contains(d) && (2...6).contains(h) && (0...8).contains(w) { voxels[index] = 1 }
        }
        let region = NonzeroRegion(voxels: voxels, extent: extent, on: cpu)
        let isEmpty = (0..<extent.volume).map { voxels[$0] == 0 && voxels[extent.volume + $0] == 0 }
        // Repeat until nothing changes: an empty voxel is outside if it, or a face neighbour outside, is at the border.
        var isOutside = [Bool](repeating: false, count: extent.volume)
        var changed = true
        while changed {
            changed = false
            for d in 0..<9 {
                for h in 0..<8 {
                    for w in 0..<10 where isEmpty[(d * 8 + h) * 10 + w] && !isOutside[(d * 8 + h) * 10 + w] {
                        let neighbours = [
                            (d - 1, h, w), (d + 1, h, w), (d, h - 1, w), (d, h + 1, w), (d, h, w - 1), (d, h, w + 1),
                        ]
                        let reaches = neighbours.contains { d, h, w in
                            !(0..<9).contains(d) || !(0..<8).contains(h) || !(0..<10).contains(w)
                                || isOutside[(d * 8 + h) * 10 + w]
                        }
                        if reaches {
                            isOutside[(d * 8 + h) * 10 + w] = true
                            changed = true
                        }
                    }
                }
            }
        }
        #expect(region.isInside == region.box.cropped(isOutside.map { !$0 }, from: extent))
        let filled = region.box.uncropped(region.isInside, into: extent, outside: false)
        #expect(filled == isOutside.map { !$0 })
    }

    @Test("an empty image keeps its extent")
    func emptyImage() {
        let region = NonzeroRegion(voxels: [Float](repeating: 0, count: 8), extent: 2, on: cpu)
        #expect(region.box == VoxelBox(whole: 2))
        #expect(region.isInside.allSatisfy { !$0 })
    }

    static let orders: [AxisOrder] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]

    @Test(
        "an order of axes moves each voxel as NumPy's transpose does, and its inverse moves it back", arguments: orders)
    func axisOrder(order: AxisOrder) {
        let extent = Extent3(depth: 2, height: 3, width: 4)
        let values = (0..<48).map { Int16($0) }
        let moved = order(values, extent: extent, on: cpu)
        let size = order(extent)
        for d in 0..<size.depth {
            for h in 0..<size.height {
                for w in 0..<size.width {
                    var original = [0, 0, 0]
                    for (axis, index) in zip(order.order, [d, h, w]) { original[axis] = index }
                    let expected = values[24 + (original[0] * 3 + original[1]) * 4 + original[2]]
                    #expect(moved[24 + (d * size.height + h) * size.width + w] == expected)
                }
            }
        }
        #expect(order.inverse(moved, extent: size, on: cpu) == values)
        #expect(order.inverse(order([7, 8, 9])) == [7, 8, 9])
    }
}
