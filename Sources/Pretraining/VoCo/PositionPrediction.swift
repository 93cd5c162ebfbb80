import Foundation
import Networks
import Tensors
import Training

/// The similarity of a crop to each base crop must be the share of it that lies there, and base crops must differ.
public struct PositionPrediction: PretextLearner {
    /// What is pre-trained.
    public let embedder: CropEmbedder
    /// The crops.
    public let positions: CropPositions
    private let cpu: CPU

    /// A learner around an embedder.
    public init(_ embedder: CropEmbedder, positions: CropPositions, on cpu: CPU) {
        (self.embedder, self.positions, self.cpu) = (embedder, positions, cpu)
    }

    /// The embedder's.
    public var members: [Member] { embedder.members }

    /// The encoder.
    public var result: any Module { EncoderOnly(embedder.encoder) }

    /// The sum of ``positionLoss(targets:bases:batch:)`` and ``baseLoss(_:batch:)``.
    public func loss(_ batch: CropPositions.Batch, in phase: Phase) -> StepLoss {
        let (bases, targets) = embedded(batch, in: phase)
        let position = positionLoss(targets: targets, bases: bases.detached, batch: batch)
        let similarity = baseLoss(bases, batch: batch)
        return StepLoss(
            total: add(position, similarity),
            parts: ["position": Double(position.item), "bases": Double(similarity.item)],
            cases: Array(Set(batch.crops.names)).sorted())
    }

    /// With overlaps y and similarities s = ReLU(cosine) of targets and bases of one volume:
    /// `sum of y (-ln(1 - |y - s| + 1e-6)) / sum of y + sum over y = 0 of s² / number of those`.
    ///
    /// - Parameters:
    ///   - targets: unit rows `[volumes * targets, E]`.
    ///   - bases: unit rows `[volumes * bases, E]`, without gradient.
    public func positionLoss(targets: Tensor, bases: Tensor, batch: CropPositions.Batch) -> Tensor {
        let similarity = relu(rowProducts(targets, bases))
        let (count, columns) = (positions.grid.volume, bases.shape[0])
        var (overlap, far) = (
            [Float](repeating: 0, count: similarity.shape.count), [Float](repeating: 0, count: similarity.shape.count)
        )
        for (row, overlaps) in batch.overlaps.enumerated() {
            let first = row * columns + row / positions.targets * count
            for (base, share) in overlaps.enumerated() {
                overlap[first + base] = Float(share)
                far[first + base] = share > 0 ? 0 : 1
            }
        }
        func constant(_ values: [Float]) -> Tensor { Tensor(values, shape: similarity.shape, on: cpu) }
        let distance = pointwise(
            subtract(constant(overlap), similarity), { abs($0) }, derivative: { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 })
        let penalty = pointwise(distance, { -log(1 - $0 + 1e-6) }, derivative: { 1 / (1 - $0 + 1e-6) })
        let near = scale(
            sum(multiply(penalty, constant(overlap))), by: 1 / max(overlap.reduce(0, +), .leastNormalMagnitude))
        let entries = Float(batch.overlaps.count * count)
        let away = scale(
            sum(multiply(multiply(similarity, similarity), constant(far))),
            by: 1 / (far.reduce(0, +) + 1e-6 * entries))
        return add(near, away)
    }

    /// The mean of ReLU(cosine) over all pairs of base crops of one volume.
    /// - Parameter bases: unit rows `[volumes * bases, E]`.
    public func baseLoss(_ bases: Tensor, batch: CropPositions.Batch) -> Tensor {
        let (count, rows) = (positions.grid.volume, bases.shape[0])
        let weight = Float(2) / Float(count * (count - 1) * batch.volumes)
        let pairs = (0..<rows * rows).map { index -> Float in
            let (i, j) = (index / rows, index % rows)
            return i / count == j / count && i < j ? weight : 0
        }
        return sum(multiply(relu(rowProducts(bases, bases)), Tensor(pairs, shape: [rows, rows], on: cpu)))
    }

    /// A target crop, its overlaps with the grid, and its similarities.
    public func previews(of batch: CropPositions.Batch) -> [Preview] {
        let (bases, targets) = embedded(batch, in: .inference)
        let (similarities, count) = (rowProducts(targets, bases).scalars, positions.grid.volume)
        let grid = SlicePainter(positions.grid, range: 0...1)
        return (0..<batch.volumes).map { volume in
            let row = volume * positions.targets
            let crop = batch.volumes * count + row
            let first = row * bases.shape[0] + volume * count
            let painter = SlicePainter(batch.crops.extent, showing: batch.crops.patch(crop).image)
            return Preview(
                title: "\(batch.crops.names[crop]): a crop (slice \(painter.slice)), its overlap with each crop of the "
                    + "grid (white: 1), and its similarity",
                images: [
                    painter.picture(batch.crops.voxels, sample: crop),
                    grid.overview(batch.overlaps[row].map(Float.init)),
                    grid.overview(Array(similarities[first..<first + count])),
                ])
        }
    }

    /// Unit rows of bases and targets, from one pass.
    private func embedded(_ batch: CropPositions.Batch, in phase: Phase) -> (bases: Tensor, targets: Tensor) {
        let rows = unitRows(embedder(batch.crops.input(on: cpu), in: phase))
        let bases = batch.volumes * positions.grid.volume
        return (slice(rows, axis: 0, 0..<bases), slice(rows, axis: 0, bases..<rows.shape[0]))
    }
}
