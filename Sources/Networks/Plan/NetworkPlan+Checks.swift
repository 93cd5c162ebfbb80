import Tensors

extension NetworkPlan {
    /// Checks that the plan can be built.
    /// - Throws: ``NetworkPlanError``.
    public func validate() throws {
        guard stages >= 2 else { throw NetworkPlanError.tooFewStages(stages) }
        for (name, count, wanted) in [
            ("strides", strides.count, stages), ("kernels", kernels.count, stages), ("blocks", blocks.count, stages),
            ("decoderConvolutions", decoderConvolutions.count, stages - 1),
        ] where count != wanted {
            throw NetworkPlanError.wrongCount(name: name, expected: wanted, found: count, stages: stages)
        }
        let numbers = [
            ("inputChannels", [inputChannels]), ("outputChannels", [outputChannels]), ("features", features),
            ("blocks", blocks), ("decoderConvolutions", decoderConvolutions),
            ("strides", strides.flatMap(\.dimensions)), ("kernels", kernels.flatMap(\.dimensions)),
        ]
        for (name, values) in numbers {
            if let value = values.first(where: { $0 < 1 }) { throw NetworkPlanError.notPositive(name: name, value) }
        }
        if let reduction = adapterReduction {
            guard reduction >= 1 else { throw NetworkPlanError.notPositive(name: "adapterReduction", reduction) }
            guard architecture == .resEnc else { throw NetworkPlanError.adaptedOtherEncoder }
        }
        if let kernel = kernels.first(where: { $0.dimensions.contains { $0 % 2 == 0 } }) {
            throw NetworkPlanError.evenKernel(kernel)
        }
        guard strides[0] == 1 else { throw NetworkPlanError.stridedFirstStage(strides[0]) }
        if let head, head.wantsResNet, resNet == nil { throw NetworkPlanError.headWithoutResNet(head) }
        if architecture == .resNet && resNet == nil { throw NetworkPlanError.otherNumbers(architecture) }
        if let published, self != published { throw NetworkPlanError.otherNumbers(architecture) }
        if dimensions == .two, let thick = (kernels + strides).first(where: { $0.depth != 1 }) {
            throw NetworkPlanError.depthInSlices(thick)
        }
    }

    /// Checks that maps of this extent can pass down and up the network.
    /// - Throws: ``NetworkPlanError/indivisible(extent:by:)``.
    public func check(extent: Extent3) throws {
        let fits = (0..<3).allSatisfy { extent[$0] > 0 && extent[$0] % totalStride[$0] == 0 }
        guard fits else { throw NetworkPlanError.indivisible(extent: extent, by: totalStride) }
    }

    /// The smallest extent that holds `extent` and can pass through the network.
    public func padded(_ extent: Extent3) -> Extent3 {
        extent.zipped(with: totalStride) { size, stride in max(1, (size + stride - 1) / stride) * stride }
    }
}

/// Why a network cannot be built, or not be applied to an extent.
public enum NetworkPlanError: UserFacingError, Equatable {
    /// A U-Net has at least two resolutions.
    case tooFewStages(Int)
    /// A list has not an element per stage (per decoder level).
    case wrongCount(name: String, expected: Int, found: Int, stages: Int)
    /// A number must be at least 1.
    case notPositive(name: String, Int)
    /// Kernels are odd, so that their result stays centred.
    case evenKernel(Extent3)
    /// The first stage keeps the full resolution.
    case stridedFirstStage(Extent3)
    /// Slices have no depth to convolve.
    case depthInSlices(Extent3)
    /// A published network has numbers that it was not published with.
    case otherNumbers(NetworkPlan.Architecture)
    /// Only ResEnc U-Nets have adapters behind their blocks.
    case adaptedOtherEncoder
    /// Some of Med3D's heads stand behind ResNets only.
    case headWithoutResNet(NetworkPlan.Head)
    /// The extent is no multiple of the total stride.
    case indivisible(extent: Extent3, by: Extent3)

    /// Wrong usage: the plan comes from a recipe.
    public var exitCode: Int32 { ExitStatus.usage }

    /// What is wrong and what to use instead.
    public var description: String {
        switch self {
        case .tooFewStages(let count):
            return "the network has \(count) stages: a U-Net needs at least 2 features."
        case .wrongCount(let name, let expected, let found, let stages):
            return "the network has \(stages) stages, so '\(name)' needs \(expected) elements, not \(found)."
        case .notPositive(let name, let value):
            return "the network's '\(name)' contains \(value): it must be at least 1."
        case .evenKernel(let kernel):
            return "the network's kernel \(kernel) is even: use odd sizes such as 1, 3 or 5."
        case .stridedFirstStage(let stride):
            return "the network's first stride is \(stride): the first stage keeps full resolution, use 1."
        case .depthInSlices(let extent):
            return "the network is 2D, but a kernel or stride is \(extent): its depth must be 1."
        case .otherNumbers(let architecture):
            return "the plan names the architecture '\(architecture.rawValue)', but has numbers of another network."
        case .adaptedOtherEncoder:
            return
                "residual adapters follow the blocks of ResEnc U-Nets, and this is another network: use adapters.kind=lora."
        case .headWithoutResNet(let head):
            return "the head '\(head.rawValue)' stands behind a ResNet, and this network has another encoder."
        case .indivisible(let extent, let stride):
            let lower = extent.zipped(with: stride) { max($1, $0 / $1 * $1) }
            let upper = extent.zipped(with: stride) { max(1, ($0 + $1 - 1) / $1) * $1 }
            return "the extent \(extent) is not a multiple of the network's total stride \(stride): "
                + "use \(lower)\(lower == upper ? "" : " or \(upper)")."
        }
    }
}
