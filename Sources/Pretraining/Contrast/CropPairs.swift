import Augmentation
import Tensors
import Training
import Volumes

/// Overlapping crops of a volume, each changed in its own way: two views of the same place.
public struct CropPairs: Hashable, Sendable {
    /// The volume that crops are taken from.
    public var volume: Extent3
    /// What the encoder sees.
    public var crop: Extent3
    /// How many pairs come from one volume.
    public var references: Int
    /// How much the crops of a pair share at least, along each axis.
    public var overlap: Double

    /// Two views of each place.
    public struct Batch: Sendable {
        /// One view of each.
        public var first: PatchBatch
        /// The other, in the same order.
        public var second: PatchBatch

        /// A batch of pairs.
        public init(first: PatchBatch, second: PatchBatch) { (self.first, self.second) = (first, second) }
    }

    /// Reads `volume`, `references` and `overlap`. The defaults are those of the public code.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection, crop: Extent3) throws {
        self.crop = crop
        let usual = crop.zipped(with: Extent3(depth: 3, height: 3, width: 1), *)
        let volume = try section.extent("volume", default: usual)
        guard (0..<3).allSatisfy({ volume[$0] >= crop[$0] }) else {
            throw section.error(at: "volume", "a volume of \(volume) voxels holds no crop of \(crop) (plan.patch)")
        }
        self.volume = volume
        references = try section.integer("references", default: 2, in: 1...1000)
        overlap = try section.double("overlap", default: 0.5, in: 0...1)
    }

    /// Where the crops of one pair begin.
    package func starts(_ draws: inout Draws) -> (first: [Int], second: [Int]) {
        let first = (0..<3).map { draws.integer(in: 0...volume[$0] - crop[$0]) }
        let second = (0..<3).map { axis in
            let most = Int((1 - overlap) * Double(crop[axis]))
            return max(0, min(volume[axis] - crop[axis], first[axis] + draws.integer(in: -most...most)))
        }
        return (first, second)
    }

    /// The pairs of all volumes of a batch.
    public func batch(of volumes: PatchBatch, at place: BatchPlace) -> Batch {
        var (first, second, names): ([Patch], [Patch], [String]) = ([], [], [])
        for sample in 0..<volumes.samples {
            let volume = volumes.patch(sample)
            for reference in 0..<references {
                let pair = sample * references + reference
                var draws = place.draws("crop-pairs", sample: pair)
                let starts = starts(&draws)
                for (view, start) in [starts.first, starts.second].enumerated() {
                    var crop = volume.patch(in: VoxelBox(origin: start, extent: self.crop))
                    TransformList.crops.apply(
                        to: &crop, seed: place.seed, step: place.step, sample: 2 * pair + view)
                    if view == 0 { first.append(crop) } else { second.append(crop) }
                }
                names.append(volumes.names[sample])
            }
        }
        return Batch(first: PatchBatch(first, names: names), second: PatchBatch(second, names: names))
    }
}

extension CropPairs.Batch {
    /// Both views of each pair, and how similar the network finds all views: rows and columns are the first views, then the
    /// second.
    func previews(embeddings: Tensor) -> [Preview] {
        let rows = unitRows(embeddings)
        let (cosines, count) = (rowProducts(rows, rows).scalars, rows.shape[0])
        let matrix = Picture(width: count, height: count, values: cosines, range: -1...1)
        return first.names.enumerated().map { pair, name in
            let painter = SlicePainter(first.extent, showing: first.patch(pair).image)
            return Preview(
                title: "\(name): two views of one place (slice \(painter.slice) of each), and the cosines of all views "
                    + "(white: 1); a view's partner is half of the rows away",
                images: [
                    painter.picture(first.voxels, sample: pair), painter.picture(second.voxels, sample: pair), matrix,
                ])
        }
    }
}

extension TransformList {
    /// What happens to every crop of the contrastive methods, at the public code's probabilities.
    static let crops = TransformList([
        GaussianNoise(), GaussianBlur(), Brightness(), Contrast(), LowResolution(probability: 0.1), Gamma.inverted,
        Gamma.upright, Mirroring(), QuarterTurn(),
    ])
}
