import Tensors

extension LabelMap {
    /// The labels at the centres of the voxels of a coarser grid over the same space ("nearest exact"): the voxel at
    /// `floor((i + 1/2) n / m)` along an axis of n voxels that gets m.
    public func downsampled(to extent: Extent3) -> LabelMap {
        guard extent != self.extent else { return self }
        let sources = (0..<3).map { axis in
            (0..<extent[axis]).map { (2 * $0 + 1) * self.extent[axis] / (2 * extent[axis]) }
        }
        var result: [Int32] = []
        result.reserveCapacity(samples * extent.volume)
        for sample in 0..<samples {
            for depth in sources[0] {
                for height in sources[1] {
                    let row = ((sample * self.extent.depth + depth) * self.extent.height + height) * self.extent.width
                    for width in sources[2] { result.append(labels[row + width]) }
                }
            }
        }
        return LabelMap(samples: samples, extent: extent, labels: result)
    }
}
