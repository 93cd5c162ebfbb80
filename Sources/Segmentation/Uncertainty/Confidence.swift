import Foundation
import Tensors
import Volumes

/// How sure one prediction is of every voxel, `[D, H, W]` on the grid of the file.
public struct Confidence: Sendable {
    /// The probability of what was decided: the largest of the classes; of regions that may overlap, each a coin of its own,
    /// the product over the regions.
    public var probability: [Float]
    /// The entropy as a share of the largest there can be: `ln K` for K classes, `K ln 2` for K regions. 0 is sure.
    public var uncertainty: [Float]
}

/// A segmentation and how sure it is of it.
public struct ConfidentSegmentation: Sendable {
    /// The labels on the image's own grid, with its header, corrected as the model's card says.
    public var labels: LabelVolume
    /// What the network decided, before corrections.
    public var decided: [Int16]
    /// How sure it was of that.
    public var confidence: Confidence
}

extension Ensemble {
    /// Segments an image and tells how sure the mean prediction is.
    /// - Throws: `PreprocessingError`, or what `progress` throws.
    public func segmentWithConfidence(
        _ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void = { _, _ in }
    ) throws -> ConfidentSegmentation {
        let (prepared, logits) = try prepareAndPredict(image, progress: progress)
        let decided = prepared.record.restored(logits: logits, by: models[0].card.decision, on: cpu)
        return ConfidentSegmentation(
            labels: corrected(decided), decided: decided.labels,
            confidence: prepared.record.confidence(of: logits, areRegions: areRegions, on: cpu))
    }
}

extension PreprocessingRecord {
    /// How sure logits `[K, D, H, W]` of ``extent`` are, on the grid of the file. Each class is resampled as for the labels
    /// (``restored(logits:on:)``); besides the logits, memory holds a class at a time. Outside the box all is sure.
    func confidence(of logits: [Float], areRegions: Bool, on cpu: CPU) -> Confidence {
        areRegions
            ? confidence(of: logits, as: RegionSureness.self, on: cpu)
            : confidence(of: logits, as: ClassSureness.self, on: cpu)
    }

    private func confidence<Voxel: Sureness>(of logits: [Float], as _: Voxel.Type, on cpu: CPU) -> Confidence {
        let (classes, volume) = (logits.count / extent.volume, box.extent.volume)
        var voxels = [Voxel](repeating: Voxel(), count: volume)
        for channel in 0..<classes {
            let scores = onCroppedGrid(Array(logits[channel * extent.volume..<(channel + 1) * extent.volume]), on: cpu)
            let piece = 1 << 16
            voxels.withUnsafeMutableBufferPointer { voxels in
                nonisolated(unsafe) let voxels = voxels
                cpu.forEach((volume + piece - 1) / piece) { task in
                    for voxel in task * piece..<min((task + 1) * piece, volume) { voxels[voxel].add(scores[voxel]) }
                }
            }
        }
        let largest = Voxel.largestEntropy(channels: classes)
        return Confidence(
            probability: placed(scores: voxels.map(\.probability), outside: 1, on: cpu),
            uncertainty: placed(scores: voxels.map { $0.entropy / largest }, outside: 0, on: cpu))
    }
}

/// How sure a voxel is, from its logits one after the other.
private protocol Sureness: Sendable {
    init()
    mutating func add(_ logit: Float)
    /// Of what was decided.
    var probability: Float { get }
    /// In nats.
    var entropy: Float { get }
    static func largestEntropy(channels: Int) -> Float
}

/// Of one class per voxel. With the largest logit `m` so far, `s = sum of exp(l - m)` and `t = sum of exp(l - m) (l - m)`,
/// the largest probability is `1 / s` and the entropy `ln s - t / s`.
private struct ClassSureness: Sureness {
    private var largest: Float = 0
    private var sum: Float = 0
    private var weighted: Float = 0

    mutating func add(_ logit: Float) {
        guard sum > 0 else {
            (largest, sum) = (logit, 1)
            return
        }
        let step = -abs(logit - largest)
        let factor = exp(step)
        // So small a factor that it vanishes is not multiplied by an infinite step.
        if logit <= largest {
            sum += factor
            weighted += factor > 0 ? factor * step : 0
        } else {
            weighted = factor > 0 ? factor * (weighted + sum * step) : 0
            sum = factor * sum + 1
            largest = logit
        }
    }

    var probability: Float { 1 / sum }
    var entropy: Float { max(0, log(sum) - weighted / sum) }
    static func largestEntropy(channels: Int) -> Float { log(Float(max(2, channels))) }
}

/// Of regions that may overlap: the probability of all decisions, and the sum of the coins' entropies.
private struct RegionSureness: Sureness {
    private(set) var probability: Float = 1
    private(set) var entropy: Float = 0

    mutating func add(_ logit: Float) {
        let (distance, term) = (abs(logit), exp(-abs(logit)))
        probability /= 1 + term
        entropy += log1p(term) + (term > 0 ? distance * term / (1 + term) : 0)
    }

    static func largestEntropy(channels: Int) -> Float { Float(channels) * log(2) }
}
