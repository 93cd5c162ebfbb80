import Tensors

/// The surface of a mask as weighted points of a grid.
struct Surface {
    /// The grid that the points lie on: the mask's for boundary voxels, one larger along each axis for surface elements.
    let extent: Extent3
    /// Linear indices `[D, H, W]` in ascending order.
    private(set) var points: [Int32] = []
    /// The weight of each point: its area in square millimetres, or 1.
    private(set) var weights: [Double] = []

    /// The sum of the weights.
    var size: Double { weights.reduce(0, +) }

    /// The surface of `mask`, whose outside counts as empty.
    init(of mask: BinaryMask, _ definition: SurfaceDefinition, spacingMM: [Double], on cpu: CPU) {
        switch definition {
        case .elements:
            extent = mask.extent.zipped(with: 1, +)
            gather(weightsByCode: ElementAreas(spacingMM: spacingMM).squareMM, on: cpu) { depth, height, codes in
                Self.configurations(mask, depth, height, codes)
            }
        case .boundaryVoxels:
            extent = mask.extent
            gather(weightsByCode: [0, 1], on: cpu) { depth, height, codes in
                Self.boundary(mask, depth, height, codes)
            }
        }
    }

    /// Keeps the points whose code has a weight, slice by slice.
    /// - Parameter read: fills a row of codes; false for a row that is known to have no point.
    private mutating func gather(
        weightsByCode: [Double], on cpu: CPU,
        _ read: (_ depth: Int, _ height: Int, _ codes: UnsafeMutableBufferPointer<UInt8>) -> Bool
    ) {
        let extent = extent
        var slices = [(points: [Int32], weights: [Double])](repeating: ([], []), count: extent.depth)
        slices.withUnsafeMutableBufferPointer { slices in
            nonisolated(unsafe) let (slices, read) = (slices, read)
            cpu.forEach(extent.depth) { depth in
                withUnsafeTemporaryAllocation(of: UInt8.self, capacity: extent.width) { codes in
                    var found: (points: [Int32], weights: [Double]) = ([], [])
                    for height in 0..<extent.height where read(depth, height, codes) {
                        let start = (depth * extent.height + height) * extent.width
                        for column in 0..<extent.width {
                            let weight = weightsByCode[Int(codes[column])]
                            if weight > 0 {
                                found.points.append(Int32(start + column))
                                found.weights.append(weight)
                            }
                        }
                    }
                    slices[depth] = found
                }
            }
        }
        points.reserveCapacity(slices.reduce(0) { $0 + $1.points.count })
        weights.reserveCapacity(points.capacity)
        for slice in slices {
            points += slice.points
            weights += slice.weights
        }
    }

    /// The configurations (``ElementAreas``) of the blocks whose far corner is a row of the enlarged grid.
    private static func configurations(
        _ mask: BinaryMask, _ depth: Int, _ height: Int, _ codes: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        codes.update(repeating: 0)
        let extent = mask.extent
        return mask.voxels.withUnsafeBufferPointer { voxels in
            var isEmpty = true
            for (bit, (slice, row)) in [
                (depth - 1, height - 1), (depth - 1, height), (depth, height - 1), (depth, height),
            ].enumerated() where slice >= 0 && slice < extent.depth && row >= 0 && row < extent.height {
                let source = voxels.baseAddress! + (slice * extent.height + row) * extent.width
                let shift = UInt8(2 * bit)
                // A voxel lies at the near side of one block and at the far side of the one before.
                for column in 0..<extent.width {
                    codes[column] |= source[column] << (shift + 1)
                    isEmpty = isEmpty && source[column] == 0
                }
                for column in 0..<extent.width { codes[column + 1] |= source[column] << shift }
            }
            return !isEmpty
        }
    }

    /// 1 for voxels of the mask that have one of their six neighbours outside.
    private static func boundary(
        _ mask: BinaryMask, _ depth: Int, _ height: Int, _ codes: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        let extent = mask.extent
        return mask.voxels.withUnsafeBufferPointer { voxels in
            let row = voxels.baseAddress! + (depth * extent.height + height) * extent.width
            for column in 0..<extent.width { codes[column] = row[column] }
            let plane = extent.height * extent.width
            let (isFirst, isLast) = (
                depth == 0 || height == 0, depth == extent.depth - 1 || height == extent.height - 1
            )
            guard !isFirst && !isLast else { return true }
            let width = extent.width
            for column in 0..<width {
                let enclosed =
                    (row - plane)[column] & (row + plane)[column] & (row - width)[column] & (row + width)[column]
                let before = column > 0 ? row[column - 1] : 0
                let after = column + 1 < width ? row[column + 1] : 0
                codes[column] = row[column] & ~(enclosed & before & after) & 1
            }
            return true
        }
    }
}
