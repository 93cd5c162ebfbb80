import Tensors

/// Sets every empty voxel of a mask `[D, H, W]` that cannot be reached from the volume's faces through empty voxels, from
/// face to face.
///
/// Joins runs of empty voxels along the width with the runs they touch in the row above and in the slice before.
func fillHoles(_ mask: inout [Bool], extent: Extent3) {
    let width = extent.width
    mask.withUnsafeMutableBufferPointer { mask in
        var runs = RunForest()
        var firstRun: [Int] = []
        for row in 0..<extent.depth * extent.height {
            let (depth, height) = (row / extent.height, row % extent.height)
            let isFace = depth == 0 || depth == extent.depth - 1 || height == 0 || height == extent.height - 1
            firstRun.append(runs.count)
            var start = row * width
            let end = start + width
            while start < end {
                if mask[start] {
                    start += 1
                    continue
                }
                var stop = start + 1
                while stop < end && !mask[stop] { stop += 1 }
                let reachesFace = isFace || start == row * width || stop == end
                runs.append(columns: start - row * width..<stop - row * width, isOutside: reachesFace)
                start = stop
            }
            let current = firstRun[row]..<runs.count
            if height > 0 { runs.join(current, firstRun[row - 1]..<current.lowerBound) }
            if depth > 0 {
                let before = row - extent.height
                runs.join(current, firstRun[before]..<firstRun[before + 1])
            }
        }
        firstRun.append(runs.count)
        for row in 0..<extent.depth * extent.height {
            for run in firstRun[row]..<firstRun[row + 1] where !runs.isOutside(run) {
                for column in runs.columns(of: run) { mask[row * width + column] = true }
            }
        }
    }
}

/// Runs of voxels in disjoint sets; the set of element 0 is the outside.
private struct RunForest {
    private var parents: [Int32] = [0]
    private var ranges: [(lower: Int32, upper: Int32)] = []

    var count: Int { ranges.count }

    func columns(of run: Int) -> Range<Int> { Int(ranges[run].lower)..<Int(ranges[run].upper) }

    mutating func append(columns: Range<Int>, isOutside: Bool) {
        ranges.append((Int32(columns.lowerBound), Int32(columns.upperBound)))
        parents.append(isOutside ? 0 : Int32(ranges.count))
    }

    mutating func isOutside(_ run: Int) -> Bool { root(run + 1) == 0 }

    /// Unites the runs of two rows, each sorted by column, that have a column in common.
    mutating func join(_ first: Range<Int>, _ second: Range<Int>) {
        var (one, other) = (first.lowerBound, second.lowerBound)
        while one < first.upperBound && other < second.upperBound {
            let (a, b) = (ranges[one], ranges[other])
            if a.lower < b.upper && b.lower < a.upper { unite(one + 1, other + 1) }
            if a.upper < b.upper { one += 1 } else { other += 1 }
        }
    }

    private mutating func unite(_ first: Int, _ second: Int) {
        let (a, b) = (root(first), root(second))
        parents[max(a, b)] = Int32(min(a, b))
    }

    private mutating func root(_ element: Int) -> Int {
        var element = element
        while Int(parents[element]) != element {
            parents[element] = parents[Int(parents[element])]
            element = Int(parents[element])
        }
        return element
    }
}
