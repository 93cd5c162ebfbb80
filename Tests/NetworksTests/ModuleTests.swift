import Networks
import Tensors
import Testing

struct ModuleTests {
    /// Members are listed by hand: a forgotten or repeated one must not pass.
    @Test("every stored parameter is a member, once", arguments: UNet.variety)
    func membersAreComplete(plan: NetworkPlan) throws {
        let network = try UNet(plan, on: CPU(threads: 1))
        let named = network.namedParameters.map { ObjectIdentifier($0.parameter) }
        #expect(Set(named).count == named.count)
        #expect(Set(network.namedParameters.map(\.name)).count == named.count)
        #expect(Set(named) == Self.storedParameters(of: network))
    }

    /// All parameters that are reachable through stored properties.
    private static func storedParameters(of value: Any) -> Set<ObjectIdentifier> {
        if let parameter = value as? Parameter { return [ObjectIdentifier(parameter)] }
        return Mirror(reflecting: value).children.reduce(into: []) { $0.formUnion(storedParameters(of: $1.value)) }
    }

    @Test func namesAreThoseOfDynamicNetworkArchitectures() throws {
        let cpu = CPU(threads: 1)
        let residual = try UNet(
            NetworkPlan(inputChannels: 1, outputChannels: 1, features: [2, 3, 3], blocks: [1, 2, 1]), on: cpu)
        #expect(
            residual.namedParameters.map(\.name).filter { !$0.hasSuffix(".bias") } == [
                "encoder.stem.convs.0.conv.weight", "encoder.stem.convs.0.norm.weight",
                "encoder.stages.0.blocks.0.conv1.conv.weight", "encoder.stages.0.blocks.0.conv1.norm.weight",
                "encoder.stages.0.blocks.0.conv2.conv.weight", "encoder.stages.0.blocks.0.conv2.norm.weight",
                "encoder.stages.1.blocks.0.conv1.conv.weight", "encoder.stages.1.blocks.0.conv1.norm.weight",
                "encoder.stages.1.blocks.0.conv2.conv.weight", "encoder.stages.1.blocks.0.conv2.norm.weight",
                "encoder.stages.1.blocks.0.skip.1.conv.weight", "encoder.stages.1.blocks.0.skip.1.norm.weight",
                "encoder.stages.1.blocks.1.conv1.conv.weight", "encoder.stages.1.blocks.1.conv1.norm.weight",
                "encoder.stages.1.blocks.1.conv2.conv.weight", "encoder.stages.1.blocks.1.conv2.norm.weight",
                "encoder.stages.2.blocks.0.conv1.conv.weight", "encoder.stages.2.blocks.0.conv1.norm.weight",
                "encoder.stages.2.blocks.0.conv2.conv.weight", "encoder.stages.2.blocks.0.conv2.norm.weight",
                "decoder.transpconvs.0.weight", "decoder.transpconvs.1.weight",
                "decoder.stages.0.convs.0.conv.weight", "decoder.stages.0.convs.0.norm.weight",
                "decoder.stages.1.convs.0.conv.weight", "decoder.stages.1.convs.0.norm.weight",
                "decoder.seg_layers.0.weight", "decoder.seg_layers.1.weight",
            ])
        let plain = try UNet(
            NetworkPlan(architecture: .plain, inputChannels: 1, outputChannels: 1, features: [2, 3], blocks: [1, 2]),
            on: cpu)
        #expect(
            plain.encoder.namedParameters.map(\.name).filter { $0.hasSuffix("conv.weight") } == [
                "stages.0.0.convs.0.conv.weight", "stages.1.0.convs.0.conv.weight", "stages.1.0.convs.1.conv.weight",
            ])
    }

    @Test func aProjectionThatOnlyWidensIsTheFirstPartOfItsSkip() {
        let block = ResidualBlock(inputChannels: 2, outputChannels: 3, kernel: 3, on: CPU(threads: 1))
        #expect(
            block.namedParameters.map(\.name).filter { $0.hasPrefix("skip") }
                == ["skip.0.conv.weight", "skip.0.norm.weight", "skip.0.norm.bias"])
    }

    @Test func weightsHavePyTorchShapes() throws {
        let plan = NetworkPlan(
            dimensions: .two, inputChannels: 3, outputChannels: 2, features: [4, 6], blocks: [1, 1])
        let shapes = Dictionary(
            uniqueKeysWithValues: try UNet(plan, on: CPU(threads: 1)).namedParameters.map {
                ($0.name, $0.parameter.pytorchShape)
            })
        #expect(shapes["encoder.stem.convs.0.conv.weight"] == [4, 3, 3, 3])
        #expect(shapes["decoder.transpconvs.0.weight"] == [6, 4, 2, 2])
        #expect(shapes["decoder.seg_layers.0.weight"] == [2, 4, 1, 1])
        #expect(shapes["encoder.stages.1.blocks.0.skip.1.conv.weight"] == [6, 4, 1, 1])
    }
}
