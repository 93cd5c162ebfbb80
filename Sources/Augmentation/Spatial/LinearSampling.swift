import Tensors
import Volumes

extension SamplingGrid {
    /// Interpolates between the eight voxels around each place; voxels beyond the array count as 0.
    /// - Parameter source: `[C, D, H, W]`.
    /// - Returns: `[C, ...]` of the grid's extent.
    func sampleLinearly(_ source: [Float], extent size: Extent3, channels: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: channels * extent.volume) { target, count in
            source.withUnsafeBufferPointer { source in
                for channel in 0..<channels {
                    let voxels = UnsafeBufferPointer(
                        rebasing: source[channel * size.volume..<(channel + 1) * size.volume])
                    let result = UnsafeMutableBufferPointer(
                        rebasing: target[channel * extent.volume..<(channel + 1) * extent.volume])
                    forEach { index, place in result[index] = Self.interpolate(voxels, size, place) }
                }
            }
            count = channels * extent.volume
        }
    }

    @inline(__always)
    private static func interpolate(
        _ voxels: UnsafeBufferPointer<Float>, _ size: Extent3, _ place: SIMD3<Double>
    ) -> Float {
        let cell = Cell(place)
        if cell.isInside(size) {
            let (row, plane) = (size.width, size.height * size.width)
            let corner = (cell.depth * size.height + cell.height) * row + cell.width
            func along(_ first: Int) -> Float { voxels[first] + cell.rest.z * (voxels[first + 1] - voxels[first]) }
            func across(_ first: Int) -> Float {
                let near = along(first)
                return near + cell.rest.y * (along(first + row) - near)
            }
            let near = across(corner)
            return near + cell.rest.x * (across(corner + plane) - near)
        }
        if cell.isOutside(size) { return 0 }
        var sum: Float = 0
        cell.forEachCorner(of: size) { index, weight in if let index { sum += weight * voxels[index] } }
        return sum
    }

    /// The label with the largest share of the eight voxels around each place; of equal shares, the nearest voxel's, else
    /// the smaller label. Voxels beyond the array count as outside.
    ///
    /// This is linear interpolation of every label's indicator, and the largest wins, without making the indicators.
    func sampleLabels(_ source: [Int16], extent size: Extent3) -> [Int16] {
        [Int16](unsafeUninitializedCapacity: extent.volume) { result, count in
            source.withUnsafeBufferPointer { source in
                forEach { index, place in result[index] = Self.largest(source, size, place) }
            }
            count = extent.volume
        }
    }

    @inline(__always)
    private static func largest(_ labels: UnsafeBufferPointer<Int16>, _ size: Extent3, _ place: SIMD3<Double>) -> Int16
    {
        let cell = Cell(place)
        if cell.isOutside(size) { return Patch.outsideLabel }
        var corners = SIMD8<Int32>(repeating: Int32(Patch.outsideLabel))
        if cell.isInside(size) {
            let (row, plane) = (size.width, size.height * size.width)
            let first = (cell.depth * size.height + cell.height) * row + cell.width
            corners[0] = Int32(labels[first])
            corners[1] = Int32(labels[first + 1])
            corners[2] = Int32(labels[first + row])
            corners[3] = Int32(labels[first + row + 1])
            corners[4] = Int32(labels[first + plane])
            corners[5] = Int32(labels[first + plane + 1])
            corners[6] = Int32(labels[first + plane + row])
            corners[7] = Int32(labels[first + plane + row + 1])
        } else {
            var corner = 0
            cell.forEachCorner(of: size) { index, _ in
                if let index { corners[corner] = Int32(labels[index]) }
                corner += 1
            }
        }
        if corners == SIMD8(repeating: corners[0]) { return Int16(truncatingIfNeeded: corners[0]) }
        return vote(corners, cell)
    }

    private static func vote(_ corners: SIMD8<Int32>, _ cell: Cell) -> Int16 {
        let weights = cell.weights
        func share(of label: Int32) -> Float { weights.replacing(with: 0, where: corners .!= label).sum() }
        let nearestCorner = (cell.rest.x >= 0.5 ? 4 : 0) + (cell.rest.y >= 0.5 ? 2 : 0) + (cell.rest.z >= 0.5 ? 1 : 0)
        let nearest = corners[nearestCorner]
        // Shares are sums of products in single precision: nearly equal ones are equal.
        let tolerance: Float = 1e-5
        let nearestShare = share(of: nearest)
        if nearestShare >= 0.5 - tolerance { return Int16(truncatingIfNeeded: nearest) }
        var (winner, most) = (nearest, nearestShare)
        for corner in 0..<8 where corners[corner] != winner {
            let share = share(of: corners[corner])
            let wins = share > most + tolerance
            let draws = winner != nearest && share >= most - tolerance && corners[corner] < winner
            if wins || draws { (winner, most) = (corners[corner], share) }
        }
        return Int16(truncatingIfNeeded: winner)
    }
}

extension Cell {
    /// The shares of the eight voxels around the place, width fastest.
    @inline(__always)
    var weights: SIMD8<Float> {
        let (x, y, z) = (rest.x, rest.y, rest.z)
        let depth = SIMD8<Float>(1 - x, 1 - x, 1 - x, 1 - x, x, x, x, x)
        let height = SIMD8<Float>(1 - y, 1 - y, y, y, 1 - y, 1 - y, y, y)
        let width = SIMD8<Float>(1 - z, z, 1 - z, z, 1 - z, z, 1 - z, z)
        return depth * height * width
    }

    /// Visits the eight voxels around the place, width fastest, with their shares; nil for one beyond the array.
    @inline(__always)
    func forEachCorner(of size: Extent3, _ body: (_ index: Int?, _ share: Float) -> Void) {
        let weights = weights
        for corner in 0..<8 {
            let (d, h, w) = (depth + corner >> 2, height + (corner >> 1 & 1), width + (corner & 1))
            let isIn = d >= 0 && h >= 0 && w >= 0 && d < size.depth && h < size.height && w < size.width
            body(isIn ? (d * size.height + h) * size.width + w : nil, weights[corner])
        }
    }
}
