import Networks
import Tensors

extension NetworkPlan {
    // Beyond these no network was ever meant, and their products would overflow.
    static let (mostStages, mostChannels, longestKernel) = (12, 1 << 16, 31)

    /// The U-Net that tensors of these shapes belong to; nil if they make none.
    ///
    /// Strides are told from the transposed convolutions of the decoder; of an encoder alone they are taken to be 2.
    /// - Parameters:
    ///   - tensors: by canonical name.
    ///   - dilatesResNets: whether the last stages of a ResNet are dilated, which no shape tells.
    public init?(shapesOf tensors: [String: StoredTensor], dilatesResNets: Bool = true) {
        let published =
            Self.onResNet(shapesOf: tensors, under: "encoder.", isDilated: dilatesResNets)
            ?? Self.ofGenesis(shapesOf: tensors)
        if let published {
            self = published
            return
        }
        let isResidual = tensors["encoder.stem.convs.0.conv.weight"] != nil
        func block(_ stage: Int, _ index: Int) -> [Int]? {
            let part = isResidual ? "blocks.\(index).conv1" : "0.convs.\(index)"
            return tensors["encoder.stages.\(stage).\(part).conv.weight"]?.shape
        }
        func count(_ exists: (Int) -> Bool) -> Int { (0...tensors.count).first { !exists($0) } ?? 0 }
        let stages = count { block($0, 0) != nil }
        let firsts = (0..<stages).compactMap { block($0, 0) }
        let stem = isResidual ? tensors["encoder.stem.convs.0.conv.weight"]?.shape : firsts.first
        guard let stem, let rank = firsts.first?.count, rank == 4 || rank == 5,
            (firsts + [stem]).allSatisfy({ $0.count == rank })
        else { return nil }
        let flat = [Int](repeating: 1, count: 5 - rank)
        let strides = (0..<stages).map { stage -> Extent3 in
            guard stage > 0 else { return 1 }
            let shape = tensors["decoder.transpconvs.\(stages - 1 - stage).weight"]?.shape
            guard let shape, shape.count == rank else {
                return Extent3(dimensions: flat + [Int](repeating: 2, count: rank - 2))
            }
            return Extent3(dimensions: flat + shape[2...])
        }
        let convolutions = (0..<max(0, stages - 1)).map { level in
            max(1, count { tensors["decoder.stages.\(level).convs.\($0).conv.weight"] != nil })
        }
        let inferred = NetworkPlan(
            architecture: isResidual ? .resEnc : .plain, dimensions: rank == 4 ? .two : .three, inputChannels: stem[1],
            outputChannels: tensors["decoder.seg_layers.0.weight"]?.shape.first ?? 1, features: firsts.map { $0[0] },
            strides: strides, kernels: firsts.map { Extent3(dimensions: flat + $0[2...]) },
            blocks: (0..<stages).map { stage in count { block(stage, $0) != nil } },
            decoderConvolutions: convolutions,
            convolutionBias: tensors["encoder.\(isResidual ? "stem" : "stages.0.0").convs.0.conv.bias"] != nil)
        let spatial = (inferred.strides + inferred.kernels).flatMap(\.dimensions)
        guard (try? inferred.validate()) != nil, stages <= Self.mostStages,
            inferred.features.allSatisfy({ $0 <= Self.mostChannels }), spatial.allSatisfy({ $0 <= Self.longestKernel })
        else { return nil }
        self = inferred
    }
}
