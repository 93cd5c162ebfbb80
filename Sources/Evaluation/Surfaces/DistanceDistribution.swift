/// Distances from the points of one surface to another surface, with the points' weights.
///
/// Distances on a grid take few values, so each value is kept once with the sum of its weights.
struct DistanceDistribution {
    /// The distances that occur, in millimetres, ascending; infinite where the other surface is empty.
    let distancesMM: [Double]
    /// The weight at each distance.
    let weights: [Double]
    /// The weight at each distance and below.
    let cumulated: [Double]

    /// - Parameter weights: as many as distances.
    init(distancesMM: [Double], weights: [Double]) {
        var sums: [Double: Double] = [:]
        var (current, sum) = (0.0, 0.0)
        // Neighbours often agree, so that few values reach the table.
        for (distance, weight) in zip(distancesMM, weights) {
            if distance != current {
                if sum > 0 { sums[current, default: 0] += sum }
                (current, sum) = (distance, 0)
            }
            sum += weight
        }
        if sum > 0 { sums[current, default: 0] += sum }
        self.init(sums)
    }

    /// The points of two directions together.
    init(_ first: Self, _ second: Self) {
        self.init(
            [first, second].reduce(into: [:]) { sums, one in
                for (index, distance) in one.distancesMM.enumerated() {
                    sums[distance, default: 0] += one.weights[index]
                }
            })
    }

    private init(_ sums: [Double: Double]) {
        let sorted = sums.sorted { $0.key < $1.key }
        distancesMM = sorted.map(\.key)
        weights = sorted.map(\.value)
        var sum = 0.0
        cumulated = sorted.map {
            sum += $0.value
            return sum
        }
    }

    /// The weight of all points: the surface's area or its number of voxels.
    var size: Double { cumulated.last ?? 0 }

    /// The sum of distances, each times its weight.
    var sumMM: Double { zip(distancesMM, weights).reduce(0) { $0 + $1.0 * $1.1 } }

    /// The mean distance; NaN without points.
    var meanMM: Double { sumMM / size }

    /// The weight of the points within a tolerance, which belongs to it.
    func weight(within toleranceMM: Double) -> Double {
        // Distances ascend: the last that is not above the tolerance.
        var (low, high) = (0, distancesMM.count)
        while low < high {
            let middle = (low + high) / 2
            if distancesMM[middle] <= toleranceMM { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : cumulated[low - 1]
    }

    /// The first distance at which `percent` of the weight is reached; NaN without points.
    func reachedMM(percent: Double) -> Double {
        guard let last = distancesMM.last else { return .nan }
        return zip(distancesMM, cumulated).first { $1 / size >= percent / 100 }?.0 ?? last
    }

    /// The percentile of points that weigh 1 each, linear between the two nearest ranks; NaN without points.
    func interpolatedMM(percent: Double) -> Double {
        guard size > 0 else { return .nan }
        let rank = percent / 100 * (size - 1)
        func distance(atRank rank: Double) -> Double {
            zip(distancesMM, cumulated).first { $1 > rank }?.0 ?? distancesMM[distancesMM.count - 1]
        }
        let (below, share) = (rank.rounded(.down), rank - rank.rounded(.down))
        let (lower, upper) = (distance(atRank: below), distance(atRank: min(below + 1, size - 1)))
        return lower == upper ? lower : lower + share * (upper - lower)
    }
}
