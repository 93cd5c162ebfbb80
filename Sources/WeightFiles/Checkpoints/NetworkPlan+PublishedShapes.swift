import Networks
import Tensors

extension NetworkPlan {
    /// The U-Net on a ResNet to which tensors of these shapes belong; nil if they are no ResNet's. A 2D ResNet counts as what
    /// it becomes by inflation, with one input channel.
    ///
    /// - Parameters:
    ///   - tensors: by canonical name.
    ///   - prefix: what stands before the ResNet's own names.
    static func onResNet(
        shapesOf tensors: [String: StoredTensor], under prefix: String, isDilated: Bool
    ) -> NetworkPlan? {
        func shape(_ name: String) -> [Int]? { tensors["\(prefix)\(name).weight"]?.shape }
        guard let stem = shape("conv1"), stem.count >= 4, stem[2...].allSatisfy({ $0 == 7 }),
            (1...mostChannels / 32).contains(stem[0]), (1...mostChannels).contains(stem[1])
        else { return nil }
        let blocks = (1...4).map { stage in
            (0...tensors.count).first { shape("layer\(stage).\($0).conv1") == nil } ?? 0
        }
        guard blocks.allSatisfy({ $0 > 0 }) else { return nil }
        let resNet = ResNetShape(
            blocks: blocks, hasBottlenecks: shape("layer1.0.conv3") != nil,
            shortcut: shape("layer2.0.downsample.0") == nil ? .padded : .projected, width: stem[0],
            isDilated: isDilated)
        return NetworkPlan(
            encoder: resNet, inputChannels: stem.count == 4 ? 1 : stem[1],
            outputChannels: tensors["decoder.seg_layers.0.weight"]?.shape.first.map { max(1, $0) } ?? 1)
    }

    /// Models Genesis' U-Net of which these are the shapes; nil if they are of another network.
    /// - Parameters:
    ///   - down: what stands before the names of the encoder.
    ///   - up: what stands before those of the decoder.
    static func ofGenesis(
        shapesOf tensors: [String: StoredTensor], down: String = "encoder.", up: String = "decoder."
    ) -> NetworkPlan? {
        let first = tensors["\(down)down_tr64.ops.0.conv1.weight"]?.shape
        guard let first, first.count == 5, first.allSatisfy({ (1...mostChannels / 16).contains($0) }) else {
            return nil
        }
        return NetworkPlan(
            genesisOfWidth: first[0], inputChannels: first[1],
            outputChannels: tensors["\(up)out_tr.final_conv.weight"]?.shape.first.map { max(1, $0) } ?? 1)
    }
}
