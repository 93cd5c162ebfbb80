extension Tensor {
    /// A feature map from elements in the order of volumes and of PyTorch, `[N, C, D, H, W]`.
    public init(channelsFirst scalars: [Float], samples: Int, channels: Int, extent: Extent3, on cpu: CPU) {
        let shape = Shape(samples: samples, extent: extent, channels: channels)
        check(
            scalars.count == shape.count,
            "\(scalars.count) numbers do not fill \(samples) maps of \(channels) x \(extent)")
        self.init(uninitialized: shape, on: cpu) { result in
            let (result, volume) = (result.baseAddress!, extent.volume)
            scalars.withUnsafeBufferPointer { scalars in
                let scalars = scalars.baseAddress!
                cpu.parallelStretches(samples * volume) { range in
                    for voxel in range {
                        let source = scalars + (voxel / volume * channels * volume + voxel % volume)
                        for c in 0..<channels { result[voxel * channels + c] = source[c * volume] }
                    }
                }
            }
        }
    }

    /// The elements of a feature map in the order of volumes and of PyTorch, `[N, C, D, H, W]`.
    public var channelsFirst: [Float] {
        let (channels, volume, count) = (shape.channels, shape.extent.volume, shape.count)
        clearHidden()
        return [Float](unsafeUninitializedCapacity: count) { result, initialized in
            let result = result.baseAddress!
            cpu.parallelStretches(shape.samples * volume) { range in
                for voxel in range {
                    let target = result + (voxel / volume * channels * volume + voxel % volume)
                    for c in 0..<channels { target[c * volume] = pointer[voxel * channels + c] }
                }
            }
            initialized = count
        }
    }
}
