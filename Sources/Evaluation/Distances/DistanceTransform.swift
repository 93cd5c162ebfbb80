import Tensors

/// The exact Euclidean distance, in millimetres, from the voxels of a grid to the nearest of some voxels of it.
///
/// Separable and linear in the number of voxels: distances along depth by two sweeps, then lower envelopes of parabolas
/// along height and, where distances are asked for, along width. Slices are independent after the first step, so that
/// no volume of floating-point numbers is kept. The same bits for any number of threads.
struct DistanceTransform {
    /// The grid.
    let extent: Extent3
    /// Distances between neighbours along depth, height and width.
    let spacingMM: [Double]
    /// The number of slices to the nearest target in the same row and column, or ``none``.
    private let slicesAway: [UInt16]

    private static let none = UInt16.max

    /// Prepares distances to the voxels at `targets`, linear indices `[D, H, W]`.
    init(to targets: [Int32], extent: Extent3, spacingMM: [Double], on cpu: CPU) {
        check(spacingMM.count == 3, "spacing is depth, height and width, got \(spacingMM)")
        check(extent.depth < Int(Self.none), "a distance transform takes fewer than \(Self.none) slices, got \(extent)")
        (self.extent, self.spacingMM) = (extent, spacingMM)
        var slices = [UInt16](repeating: Self.none, count: extent.volume)
        for target in targets { slices[Int(target)] = 0 }
        Self.sweepDepth(&slices, extent, on: cpu)
        slicesAway = slices
    }

    /// Counts slices forwards, then backwards; each task takes some of the columns.
    private static func sweepDepth(_ slices: inout [UInt16], _ extent: Extent3, on cpu: CPU) {
        let (plane, piece) = (extent.height * extent.width, 8192)
        slices.withUnsafeMutableBufferPointer { slices in
            nonisolated(unsafe) let slices = slices
            cpu.forEach((plane + piece - 1) / piece) { task in
                let columns = task * piece..<min(plane, (task + 1) * piece)
                func sweep(from before: Int, to depth: Int) {
                    let (source, target) = (slices.baseAddress! + before * plane, slices.baseAddress! + depth * plane)
                    for column in columns {
                        // Nothing plus one is nothing: the sum is clipped just above it.
                        target[column] = min(target[column], max(source[column], source[column] &+ 1))
                    }
                }
                for depth in 1..<max(1, extent.depth) { sweep(from: depth - 1, to: depth) }
                for depth in stride(from: extent.depth - 2, through: 0, by: -1) { sweep(from: depth + 1, to: depth) }
            }
        }
    }

    /// The distance of every voxel, `[D, H, W]`; infinite without targets.
    func map(on cpu: CPU) -> [Double] {
        var result = [Double](repeating: .infinity, count: extent.volume)
        result.withUnsafeMutableBufferPointer { result in
            nonisolated(unsafe) let result = result
            cpu.forEach(extent.depth) { depth in
                let alongWidth = LowerEnvelope(length: extent.width, spacingMM: spacingMM[2])
                withRows(ofSlice: depth) { height, row in
                    let target = result.baseAddress! + (depth * extent.height + height) * extent.width
                    alongWidth.transform(row) { target[$0] = $1.squareRoot() }
                }
            }
        }
        return result
    }

    /// The distances of the voxels at `points`, in their order; infinite without targets.
    ///
    /// Around a voxel, a search in growing squares of its slice ends when no larger square can hold a nearer target. For
    /// surfaces close to each other that is far less work than lower envelopes of the whole slice. Searches of a slice that
    /// together outgrow it are given up for the envelopes, so that the time stays linear.
    /// - Parameter points: linear indices `[D, H, W]` in ascending order.
    func distancesMM(at points: [Int32], on cpu: CPU) -> [Double] {
        var result = [Double](repeating: .infinity, count: points.count)
        let plane = extent.height * extent.width
        let firsts = (0...extent.depth).map { points.firstPosition(notBelow: $0 * plane) }
        // Beyond the last slice stands what no column reaches.
        let squares = (0..<extent.depth).map { Double($0) * spacingMM[0] }.map { $0 * $0 } + [.infinity]
        result.withUnsafeMutableBufferPointer { result in
            nonisolated(unsafe) let result = result
            cpu.forEach(extent.depth) { depth in
                var next = firsts[depth]
                var search = SquareSearch(extent: extent, spacingMM: spacingMM, steps: 4 * plane)
                slicesAway.withUnsafeBufferPointer { slicesAway in
                    squares.withUnsafeBufferPointer { squares in
                        let slice = slicesAway.baseAddress! + depth * plane
                        while next < firsts[depth + 1] {
                            let place = Int(points[next]) - depth * plane
                            guard let squared = search.nearest(to: place, in: slice, squares) else { break }
                            result[next] = squared.squareRoot()
                            next += 1
                        }
                    }
                }
                guard next < firsts[depth + 1] else { return }
                let alongWidth = LowerEnvelope(length: extent.width, spacingMM: spacingMM[2])
                withRows(ofSlice: depth) { height, row in
                    let start = depth * plane + height * extent.width
                    guard next < firsts[depth + 1], Int(points[next]) < start + extent.width else { return }
                    alongWidth.transform(row) { column, squared in
                        guard next < firsts[depth + 1], Int(points[next]) == start + column else { return }
                        result[next] = squared.squareRoot()
                        next += 1
                    }
                }
            }
        }
        return result
    }

    /// Calls `body` with each row of a slice: the squared distance of each voxel to the nearest target in its column of
    /// the volume, depth and height free, width not.
    private func withRows(
        ofSlice depth: Int, _ body: (_ height: Int, _ row: UnsafeMutableBufferPointer<Double>) -> Void
    ) {
        let (rows, width) = (extent.height, extent.width)
        let alongHeight = LowerEnvelope(length: rows, spacingMM: spacingMM[1])
        withUnsafeTemporaryAllocation(of: Double.self, capacity: rows * width + rows) { memory in
            let column = UnsafeMutableBufferPointer(rebasing: memory[..<rows])
            let plane = memory.baseAddress! + rows
            slicesAway.withUnsafeBufferPointer { slicesAway in
                let slice = slicesAway.baseAddress! + depth * rows * width
                for x in 0..<width {
                    for y in 0..<rows {
                        let slices = slice[y * width + x]
                        let millimetres = slices == Self.none ? .infinity : Double(slices) * spacingMM[0]
                        column[y] = millimetres * millimetres
                    }
                    alongHeight.transform(column) { plane[$0 * width + x] = $1 }
                }
            }
            for y in 0..<rows { body(y, UnsafeMutableBufferPointer(start: plane + y * width, count: width)) }
        }
    }
}

extension [Int32] {
    /// The position of the first element that is not below `bound`, in an ascending array.
    fileprivate func firstPosition(notBelow bound: Int) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if Int(self[middle]) < bound { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
