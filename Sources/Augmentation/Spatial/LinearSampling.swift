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
        if cell.isInside(size) {
            let (row, plane) = (size.width, size.height * size.width)
            let corner = (cell.depth * size.height + cell.height) * row + cell.width
            let first = labels[corner]
            let isUniform =
                labels[corner + 1] == first && labels[corner + row] == first && labels[corner + row + 1] == first
                && labels[corner + plane] == first && labels[corner + plane + 1] == first
                && labels[corner + plane + row] == first && labels[corner + plane + row + 1] == first
            return isUniform ? first : vote(labels, size, cell)
        }
        return cell.isOutside(size) ? Patch.outsideLabel : vote(labels, size, cell)
    }

    @inline(never)
    private static func vote(_ labels: UnsafeBufferPointer<Int16>, _ size: Extent3, _ cell: Cell) -> Int16 {
        var (found, weights) = (SIMD8<Int16>(repeating: 0), SIMD8<Float>(repeating: 0))
        var corner = 0
        cell.forEachCorner(of: size) { index, weight in
            found[corner] = index.map { labels[$0] } ?? Patch.outsideLabel
            weights[corner] = weight
            corner += 1
        }
        func share(of label: Int16) -> Float { weights.replacing(with: 0, where: unsafeMask(found .!= label)).sum() }
        let nearest = (cell.rest.x >= 0.5 ? 4 : 0) + (cell.rest.y >= 0.5 ? 2 : 0) + (cell.rest.z >= 0.5 ? 1 : 0)
        // Shares are sums of products in single precision: nearly equal ones are equal.
        var (winner, most) = (found[nearest], share(of: found[nearest]) + 1e-5)
        for corner in 0..<8 where found[corner] != winner {
            let share = share(of: found[corner])
            if share > most || (share > most - 1e-6 && winner != found[nearest] && found[corner] < winner) {
                (winner, most) = (found[corner], share)
            }
        }
        return winner
    }

    @inline(__always)
    private static func unsafeMask(_ mask: SIMDMask<SIMD8<Int16>>) -> SIMDMask<SIMD8<Int32>> {
        var result = SIMDMask<SIMD8<Int32>>(repeating: false)
        for lane in 0..<8 { result[lane] = mask[lane] }
        return result
    }
}

extension Cell {
    /// Visits the eight voxels around the place, width fastest, with their weights; nil for one beyond the array.
    @inline(__always)
    func forEachCorner(of size: Extent3, _ body: (_ index: Int?, _ weight: Float) -> Void) {
        for corner in 0..<8 {
            let (d, h, w) = (depth + corner >> 2, height + (corner >> 1 & 1), width + (corner & 1))
            let weight =
                (corner & 4 == 0 ? 1 - rest.x : rest.x) * (corner & 2 == 0 ? 1 - rest.y : rest.y)
                * (corner & 1 == 0 ? 1 - rest.z : rest.z)
            let isIn = d >= 0 && h >= 0 && w >= 0 && d < size.depth && h < size.height && w < size.width
            body(isIn ? (d * size.height + h) * size.width + w : nil, weight)
        }
    }
}
