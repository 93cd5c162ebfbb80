import Foundation

/// Which voxels of a batch are hard.
public enum HardVoxels: Sendable, Hashable {
    /// So many, at least one: those of the largest cross-entropy.
    case count(Int)
    /// All whose label has a probability below this, but at least so many.
    case uncertain(below: Double, atLeast: Int)
}

/// The mean cross-entropy of a batch's hardest voxels, all samples together; the others get no gradient.
///
/// Of equally hard voxels the first in linear order are taken.
/// - Parameters:
///   - logits: `[N, D, H, W, C]`.
///   - labels: `[N, D, H, W]`.
///   - ignoring: a label whose voxels have cross-entropy 0; they are chosen last but, once chosen, count in the mean.
/// - Returns: a scalar.
public func hardestCrossEntropy(_ logits: Tensor, labels: LabelMap, _ hard: HardVoxels, ignoring: Int32? = nil)
    -> Tensor
{
    let (cpu, voxels) = (logits.cpu, labels.labels.count)
    return voxelwiseLoss(logits, labels: labels, ignoring: ignoring) { entropies in
        let wanted =
            switch hard {
            case .count(let count): count
            case .uncertain(let probability, let least):
                max(least, Int(cpu.sum(voxels) { exp(-entropies.pointer[$0]) < Float(probability) ? 1 : 0 }))
            }
        let count = min(voxels, max(1, wanted))
        let (threshold, ties) = entropies.largest(count)
        var left = ties
        let share = 1 / Float(count)
        let slopes = Tensor(zeros: entropies.shape, on: cpu)
        for voxel in 0..<voxels where entropies.pointer[voxel] >= threshold {
            if entropies.pointer[voxel] == threshold {
                guard left > 0 else { continue }
                left -= 1
            }
            slopes.pointer[voxel] = share
        }
        let loss = cpu.sum(voxels) { Double(slopes.pointer[$0] * entropies.pointer[$0]) }
        return (loss, slopes)
    }
}

extension Tensor {
    /// The smallest of the `count` largest elements, and how many of those equal it. No element may be negative.
    ///
    /// Floats that are not negative are ordered like their bits: one pass counts the upper halves of the bits, a second
    /// the lower halves of those in question.
    fileprivate func largest(_ count: Int) -> (threshold: Float, ties: Int) {
        func descend(_ bins: [Int], _ wanted: Int) -> (bin: Int, left: Int) {
            var left = wanted
            for bin in bins.indices.reversed() {
                if bins[bin] >= left { return (bin, left) }
                left -= bins[bin]
            }
            return (0, left)
        }
        func bits(_ index: Int) -> UInt32 { max(0, pointer[index]).bitPattern }
        var bins = [Int](repeating: 0, count: 1 << 16)
        for index in 0..<shape.count { bins[Int(bits(index) >> 16)] += 1 }
        let (upper, left) = descend(bins, count)
        bins = [Int](repeating: 0, count: 1 << 16)
        for index in 0..<shape.count where Int(bits(index) >> 16) == upper { bins[Int(bits(index) & 0xFFFF)] += 1 }
        let (lower, ties) = descend(bins, left)
        return (Float(bitPattern: UInt32(upper) << 16 | UInt32(lower)), ties)
    }
}
