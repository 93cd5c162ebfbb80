import Tensors

/// What networks of nnU-Net's kind cost; those of other kinds are not counted.
extension NetworkPlan {
    /// The number of learnable scalars of the whole network, from the plan alone.
    public var parameterCount: Int { encoderParameterCount + decoderParameterCount }

    /// The number of learnable scalars of the encoder with its stem.
    public var encoderParameterCount: Int {
        features.indices.reduce(stemParameterCount) { total, stage in
            let (kernel, width) = (kernels[stage].volume, features[stage])
            let before = stage > 0 ? features[stage - 1] : architecture == .resEnc ? features[0] : inputChannels
            let first = block(kernel, from: before, to: width)
            let further = block(kernel, from: width, to: width)
            if architecture == .plain { return total + first + (blocks[stage] - 1) * further }
            let projection = before == width ? 0 : before * width + 2 * width
            return total + first + projection + (2 * blocks[stage] - 1) * further
                + blocks[stage] * adapter(of: width)
        }
    }

    /// The number of learnable scalars of the decoder with its heads.
    public var decoderParameterCount: Int {
        if head == .classification { return (features[stages - 1] + 1) * outputChannels }
        return (0..<stages - 1).reduce(0) { total, level in
            let stage = stages - 2 - level
            let (width, below, kernel) = (features[stage], features[stage + 1], kernels[stage].volume)
            let upsampler = strides[stage + 1].volume * below * width + (convolutionBias ? width : 0)
            let head = width * outputChannels + outputChannels
            return total + upsampler + head + block(kernel, from: 2 * width, to: width)
                + (decoderConvolutions[level] - 1) * block(kernel, from: width, to: width)
        }
    }

    /// nnU-Net's memory proxy: the number of values that the convolutions of one forward pass of one sample compute.
    ///
    /// Every strided or widening residual block counts a third map, whether or not its skip has a convolution, as
    /// nnU-Net's planner does.
    /// - Parameter patch: the input's extent in voxels, a multiple of ``totalStride``.
    public func memoryProxy(patch: Extent3) -> Int {
        let voxels = cumulativeStrides.map { patch.zipped(with: $0, /).volume }
        var total = architecture == .resEnc ? features[0] * voxels[0] : 0
        for stage in features.indices {
            var maps = blocks[stage]
            if architecture == .resEnc {
                let isProjected = strides[stage] != 1 || stage > 0 && features[stage - 1] != features[stage]
                maps = 2 * blocks[stage] + (isProjected ? 1 : 0)
            }
            total += maps * features[stage] * voxels[stage]
        }
        for level in 0..<(head == .classification ? 0 : stages - 1) {
            let stage = stages - 2 - level
            total += (1 + decoderConvolutions[level]) * features[stage] * voxels[stage]
            if deepSupervision || stage == 0 { total += outputChannels * voxels[stage] }
        }
        return total
    }

    private var stemParameterCount: Int {
        architecture == .resEnc ? block(kernels[0].volume, from: inputChannels, to: features[0]) : 0
    }

    /// What follows a residual block.
    private func adapter(of width: Int) -> Int {
        guard let adapterReduction else { return 0 }
        let inner = ResidualAdapter.innerChannels(width, reduction: adapterReduction)
        return 2 * width * inner + inner + width
    }

    /// A convolution with its norm.
    private func block(_ kernel: Int, from input: Int, to output: Int) -> Int {
        kernel * input * output + (convolutionBias ? output : 0) + 2 * output
    }
}
