import Tensors

/// The runs of a mask in disjoint sets (union-find), row after row.
struct RunForest {
    private var starts: [Int32] = []
    private var counts: [Int32] = []
    private var parents: [Int32] = []
    /// The first run of each row `(d, h)`, and the number of runs at the end.
    private var firstOfRow: [Int] = []

    /// Every run on its own.
    init(_ mask: BinaryMask, on cpu: CPU) {
        let extent = mask.extent
        var slices = [[(start: Int32, count: Int32, row: Int)]](repeating: [], count: extent.depth)
        slices.withUnsafeMutableBufferPointer { slices in
            nonisolated(unsafe) let slices = slices
            cpu.forEach(extent.depth) { depth in slices[depth] = Self.runs(of: mask, slice: depth) }
        }
        firstOfRow.reserveCapacity(extent.depth * extent.height + 1)
        var row = 0
        for run in slices.joined() {
            while row <= run.row {
                firstOfRow.append(starts.count)
                row += 1
            }
            parents.append(Int32(starts.count))
            starts.append(run.start)
            counts.append(run.count)
        }
        while row <= extent.depth * extent.height {
            firstOfRow.append(starts.count)
            row += 1
        }
    }

    private static func runs(of mask: BinaryMask, slice depth: Int) -> [(start: Int32, count: Int32, row: Int)] {
        var runs: [(start: Int32, count: Int32, row: Int)] = []
        mask.voxels.withUnsafeBufferPointer { voxels in
            let width = mask.extent.width
            for row in depth * mask.extent.height..<(depth + 1) * mask.extent.height {
                var voxel = row * width
                let end = voxel + width
                while voxel < end {
                    if voxels[voxel] == 0 {
                        voxel += 1
                        continue
                    }
                    let start = voxel
                    while voxel < end, voxels[voxel] != 0 { voxel += 1 }
                    runs.append((Int32(start), Int32(voxel - start), row))
                }
            }
        }
        return runs
    }

    /// Joins every run with those that it touches in the rows before.
    mutating func joinNeighbours(_ connectivity: Connectivity, extent: Extent3) {
        // Neighbouring rows: steps in depth and height, and how far a run reaches beyond its ends in them.
        let rows: [(depth: Int, height: Int, reach: Int)] =
            switch connectivity {
            case .faces: [(0, -1, 0), (-1, 0, 0)]
            case .edges: [(0, -1, 1), (-1, 0, 1), (-1, -1, 0), (-1, 1, 0)]
            case .corners: [(0, -1, 1), (-1, 0, 1), (-1, -1, 1), (-1, 1, 1)]
            }
        for depth in 0..<extent.depth {
            for height in 0..<extent.height {
                let row = depth * extent.height + height
                guard firstOfRow[row] < firstOfRow[row + 1] else { continue }
                for (depthStep, heightStep, reach) in rows
                where depth + depthStep >= 0 && (0..<extent.height).contains(height + heightStep) {
                    join(row, with: row + depthStep * extent.height + heightStep, reach: reach, width: extent.width)
                }
            }
        }
    }

    /// Walks along two rows at once.
    private mutating func join(_ row: Int, with other: Int, reach: Int, width: Int) {
        var (first, second) = (firstOfRow[row], firstOfRow[other])
        let shift = Int32((row - other) * width)
        while first < firstOfRow[row + 1], second < firstOfRow[other + 1] {
            let (start, end) = (starts[first] - shift, starts[first] - shift + counts[first])
            let (otherStart, otherEnd) = (starts[second], starts[second] + counts[second])
            if start < otherEnd + Int32(reach), otherStart < end + Int32(reach) { unite(first, second) }
            if end < otherEnd { first += 1 } else { second += 1 }
        }
    }

    private mutating func unite(_ first: Int, _ second: Int) {
        let (a, b) = (root(first), root(second))
        // The earlier run is the root, so that a component's root is its first run.
        if a < b { parents[b] = Int32(a) } else { parents[a] = Int32(b) }
    }

    private mutating func root(_ run: Int) -> Int {
        var run = run
        while parents[run] != run {
            parents[run] = parents[Int(parents[run])]
            run = Int(parents[run])
        }
        return run
    }

    /// The components' sizes, largest first, and all runs with the place of their component.
    mutating func components() -> (sizes: [Int], runs: [ConnectedComponents.Run]) {
        let roots = starts.indices.map { root($0) }
        var sizes = [Int](repeating: 0, count: starts.count)
        for (run, root) in roots.enumerated() { sizes[root] += Int(counts[run]) }
        let order = starts.indices.filter { sizes[$0] > 0 }.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
        var places = [Int32](repeating: 0, count: starts.count)
        for (place, root) in order.enumerated() { places[root] = Int32(place) }
        return (
            order.map { sizes[$0] },
            starts.indices.map {
                ConnectedComponents.Run(start: starts[$0], count: counts[$0], component: places[roots[$0]])
            }
        )
    }
}
