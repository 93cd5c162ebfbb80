import Tensors

/// A network as inference sees it: a batch of patches `[N, D, H, W, C]` to logits `[N, D, H, W, K]` of the same extent.
public typealias Segmenter = (Tensor) -> Tensor

extension SlidingWindow {
    /// The logits of a volume.
    ///
    /// All memory it takes beyond the network's is the result and one number per voxel.
    /// - Parameters:
    ///   - image: `[C, D, H, W]`; outside of it the windows see zeros.
    ///   - networks: the members of an ensemble, for example one per fold: their logits are averaged.
    ///   - classes: the channels of the logits.
    ///   - progress: called after each batch; what it throws ends the prediction.
    /// - Returns: `[K, D, H, W]`.
    public func logits(
        of image: [Float], extent: Extent3, by networks: [Segmenter], classes: Int, on cpu: CPU,
        progress: (_ done: Int, _ all: Int) throws -> Void = { _, _ in }
    ) throws -> [Float] {
        try logits(
            of: image, extent: extent, by: networks, classes: classes, orientations: orientations, on: cpu,
            progress: progress)
    }

    /// The logits of a volume whose windows are seen in these orientations only.
    func logits(
        of image: [Float], extent: Extent3, by networks: [Segmenter], classes: Int, orientations: [Orientation],
        on cpu: CPU, progress: (_ done: Int, _ all: Int) throws -> Void = { _, _ in }
    ) throws -> [Float] {
        check(!networks.isEmpty && image.count % extent.volume == 0, "\(image.count) values for \(extent) voxels")
        let views = views(of: extent, orientations: orientations)
        let importance = weighting.weights(over: patch)
        var sums = WeightedLogits(classes: classes, extent: extent)
        for first in stride(from: 0, to: views.count, by: max(1, viewsPerBatch)) {
            let batch = Array(views[first..<min(views.count, first + max(1, viewsPerBatch))])
            let patches = gather(batch, from: image, extent: extent, on: cpu)
            for network in networks {
                let logits = network(patches)
                check(
                    logits.shape == Shape(samples: batch.count, extent: patch, channels: classes),
                    "logits \(logits.shape) for \(batch.count) patches of \(patch) and \(classes) classes")
                sums.add(logits, of: batch, importance: importance)
            }
            try progress(first + batch.count, views.count)
        }
        return sums.mean(on: cpu)
    }

    /// The views as one batch, `[N, D, H, W, C]`.
    func gather(_ views: [WindowView], from image: [Float], extent: Extent3, on cpu: CPU) -> Tensor {
        let channels = image.count / extent.volume
        let shape = Shape(samples: views.count, extent: patch, channels: channels)
        return Tensor(uninitialized: shape, on: cpu) { batch in
            batch.initialize(repeating: 0)
            image.withUnsafeBufferPointer { image in
                nonisolated(unsafe) let (batch, image) = (batch, image)
                for (sample, view) in views.enumerated() {
                    let base = sample * patch.volume
                    view.forEachRow(ofVolume: extent, on: cpu) { row in
                        for channel in 0..<channels {
                            let source = channel * extent.volume + row.inVolume
                            for index in 0..<row.count {
                                batch[(base + row.inView + index * row.viewStep) * channels + channel] =
                                    image[source + index]
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Running sums of weighted logits, and of the weights, over the voxels of a volume.
private struct WeightedLogits {
    let classes: Int
    let extent: Extent3
    /// `[K, D, H, W]`.
    private var logits: [Float]
    /// `[D, H, W]`.
    private var weights: [Float]

    init(classes: Int, extent: Extent3) {
        (self.classes, self.extent) = (classes, extent)
        logits = [Float](repeating: 0, count: classes * extent.volume)
        weights = [Float](repeating: 0, count: extent.volume)
    }

    /// Adds the logits `[N, D, H, W, K]` of a batch of views, times `importance`. The means over mirrorings and networks
    /// need no sums of their own: every view of a place counts the same.
    mutating func add(_ batch: Tensor, of views: [WindowView], importance: [Float]) {
        let (classes, extent, volume, cpu) = (classes, extent, extent.volume, batch.cpu)
        logits.withUnsafeMutableBufferPointer { logits in
            weights.withUnsafeMutableBufferPointer { weights in
                batch.withScalars { values in
                    // Slices of a window are different slices of the volume: no two threads add to one voxel.
                    nonisolated(unsafe) let (logits, weights, values) = (logits, weights, values)
                    for (sample, view) in views.enumerated() {
                        let base = sample * importance.count
                        view.forEachRow(ofVolume: extent, on: cpu) { row in
                            for index in 0..<row.count {
                                let (voxel, weight) = (row.inVolume + index, importance[row.inWindow + index])
                                let scores = (base + row.inView + index * row.viewStep) * classes
                                weights[voxel] += weight
                                for k in 0..<classes { logits[k * volume + voxel] += weight * values[scores + k] }
                            }
                        }
                    }
                }
            }
        }
    }

    /// `[K, D, H, W]`: the sums of logits divided by those of the weights.
    consuming func mean(on cpu: CPU) -> [Float] {
        let (volume, weights) = (extent.volume, weights)
        logits.withUnsafeMutableBufferPointer { logits in
            nonisolated(unsafe) let logits = logits
            cpu.forEach(classes) { k in
                for voxel in 0..<volume { logits[k * volume + voxel] /= weights[voxel] }
            }
        }
        return logits
    }
}
