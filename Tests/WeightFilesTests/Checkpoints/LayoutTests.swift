import Foundation
import Networks
import Tensors
import Testing
import WeightFiles

/// Files as the field's tools write them, made small.
struct LayoutTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private typealias Pairs = [(key: String, value: PyTorchContent)]

    private static func unet(seed: UInt64 = 1) throws -> UNet {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 2, features: [2, 3, 4], blocks: [1, 2, 1])
        let network = try UNet(plan, on: CPU(threads: 1))
        Initializer.pytorchDefault.initialize(network, seed: seed)
        return network
    }

    private static func pairs(_ tensors: [String: StoredTensor], prefix: String = "") -> Pairs {
        tensors.sorted { $0.key < $1.key }.map { ("\(prefix)\($0.key)", .tensor($0.value, storage: $0.key)) }
    }

    private func read(_ pairs: Pairs) throws -> WeightsFile {
        try PyTorchFile.write(.dictionary(pairs), to: folder("weights.pth"))
        return try WeightsFile.read(folder("weights.pth"))
    }

    private static func filters(_ shape: [Int]) -> StoredTensor {
        StoredTensor((0..<shape.reduce(1, *)).map { Float($0) }, shape: shape)
    }

    /// The first weights of a ResNet, enough to know it by.
    private static func resNet(kernel: [Int] = [3, 3], channels: Int = 3) -> [String: StoredTensor] {
        [
            "conv1.weight": filters([2, channels] + kernel), "bn1.running_mean": filters([2]),
            "layer1.0.conv1.weight": filters([2, 2] + kernel.map { _ in 1 }),
        ]
    }

    @Test("wrappers' prefixes are dropped", arguments: ["", "module.", "module._orig_mod."])
    func nnUNet(prefix: String) throws {
        let network = try Self.unet()
        let file = try read([
            ("network_weights", .dictionary(Self.pairs(network.storedTensors(everyAlias: true), prefix: prefix))),
            ("optimizer_state", .dictionary([("momentum", .tensor(Self.filters([3]), storage: "m"))])),
            ("trainer_name", .text("nnUNetTrainer")),
        ])
        #expect(file.layout == .nnUNet && file.network == .unet)
        #expect(file.plan == network.plan)
        #expect(file.weights.canonicalTensors == network.storedTensors(everyAlias: false))
        #expect(file.skipped == [.init(name: "optimizer_state/momentum", reason: "state of the optimizer")])
    }

    /// The public SparK trainer trains `all_modules` and leaves the other names of a convolution as they were.
    @Test func nnsslsTrainedTwinIsTheOneThatIsRead() throws {
        let (trained, stale) = (try Self.unet(), try Self.unet(seed: 2))
        var tensors = trained.storedTensors(everyAlias: true)
        for (name, tensor) in stale.storedTensors(everyAlias: true)
        where name.hasPrefix("encoder.") && !name.contains("all_modules") {
            tensors[name] = tensor
        }
        var weights = Self.pairs(tensors)
        for index in weights.indices {
            weights[index].value = .tensor(tensors[weights[index].key]!, storage: "\(index)")
        }
        let card = try read([
            ("network_weights", .dictionary(weights)),
            ("spark_weights", .dictionary([("mask_tokens.0", .tensor(Self.filters([1]), storage: "t"))])),
            ("trainer_name", .text("SparkMAETrainer")),
            (
                "nnssl_adaptation_plan",
                .dictionary([
                    ("recommended_downstream_patchsize", .list([.integer(160), .integer(128), .integer(96)])),
                    (
                        "pretrain_plan",
                        .dictionary([
                            (
                                "configurations",
                                .dictionary([
                                    (
                                        "onemmiso",
                                        .dictionary([
                                            ("spacing", .list([.number(1), .integer(2), .number(0.5)])),
                                            ("normalization_schemes", .list([.text("ZScoreNormalization")])),
                                        ])
                                    )
                                ])
                            )
                        ])
                    ),
                ])
            ),
        ])
        #expect(card.layout == .nnssl)
        #expect(card.weights.canonicalTensors == trained.storedTensors(everyAlias: false))
        #expect(!card.weights.disagreeingNames.isEmpty)
        #expect(card.card?.patch == Extent3(depth: 160, height: 128, width: 96))
        #expect(card.card?.spacingMM == [1, 2, 0.5] && card.card?.normalization == ["z_score"])
        #expect(card.skipped.map(\.name) == ["spark_weights/mask_tokens.0"])
    }

    @Test("networks are known by their names")
    func networks() throws {
        let medicalNet = try read([
            ("ecpoch", .integer(3)),
            ("state_dict", .dictionary(Self.pairs(Self.resNet(kernel: [7, 7, 7], channels: 1), prefix: "module."))),
        ])
        #expect(medicalNet.layout == .medicalNet && medicalNet.network == .resNet3D)
        #expect(medicalNet.weights.tensors == Self.resNet(kernel: [7, 7, 7], channels: 1))

        let genesis = GenesisUNet(width: 2, on: CPU(threads: 1)).storedTensors(everyAlias: false)
        let file = try read([
            ("epoch", .integer(1)), ("state_dict", .dictionary(Self.pairs(genesis, prefix: "module."))),
        ])
        #expect(file.layout == .modelsGenesis && file.network == .genesis && file.weights.tensors == genesis)

        let torchvision = try read(Self.pairs(Self.resNet().merging(["fc.weight": Self.filters([9, 2])]) { $1 }))
        #expect(torchvision.layout == .resNet2D && torchvision.weights.tensors == Self.resNet())
        #expect(torchvision.skipped == [.init(name: "fc.weight", reason: "a classifier")])

        let unknown = try read(Self.pairs(["a": Self.filters([1])]))
        #expect(unknown.layout == .tensors && unknown.network == .unknown && unknown.weights.tensors.count == 1)
    }

    @Test func ofMoCosTwoEncodersTheTrainedOneIsTaken() throws {
        let keys = Self.resNet().mapValues { StoredTensor([Float](repeating: -1, count: $0.count), shape: $0.shape) }
        var tensors = Self.pairs(Self.resNet(), prefix: "module.encoder_q.")
        for (name, tensor) in keys {
            tensors.append(("module.encoder_k.\(name)", .tensor(tensor, storage: "k\(name)")))
        }
        tensors.append(("module.queue", .tensor(Self.filters([4]), storage: "queue")))
        tensors.append(("module.encoder_q.fc.0.weight", .tensor(Self.filters([4]), storage: "fc")))
        let file = try read([("arch", .text("resnet50")), ("state_dict", .dictionary(tensors))])
        #expect(file.layout == .moCo && file.network == .resNet2D)
        #expect(file.weights.tensors == Self.resNet())
        #expect(file.skipped.count == keys.count + 2)
    }

    @Test("an encoder with a projection head", arguments: ["encoder.", "backbone."])
    func simCLR(root: String) throws {
        let encoder = try Self.unet().storedTensors(everyAlias: false).filter { $0.key.hasPrefix("encoder.") }
        var tensors = encoder.map { name, tensor in
            (
                key: name.replacing("encoder.", with: root, maxReplacements: 1),
                value: PyTorchContent.tensor(tensor, storage: name)
            )
        }
        tensors.append(("projector.0.weight", .tensor(Self.filters([4]), storage: "p")))
        let file = try read([("state_dict", .dictionary(tensors))])
        #expect(file.network == .unet)
        for (name, tensor) in encoder { #expect(file.weights.tensors[name] == tensor, "\(name)") }
        if root == "backbone." { #expect(file.layout == .simCLR && file.weights.tensors.count == encoder.count) }
    }

    @Test func weightsOfAnotherNetworkAreNoUNet() throws {
        let error = #expect(throws: WeightsFileError.self) { try read(Self.pairs(Self.resNet())).unet() }
        #expect(error?.description.contains("2D ResNet") == true)
    }

    /// On a volume of equal slices an inflated convolution gives, in inner slices, what the planar one gives on a grey image.
    @Test func anInflatedConvolutionSeesEqualSlicesAsThePlanarOneSeesOne() throws {
        let cpu = CPU(threads: 1)
        let planar = try read(Self.pairs(Self.resNet()))
        let inflated = try planar.inflated()
        #expect(inflated.network == .resNet3D && inflated.weights.tensors["conv1.weight"]?.shape == [2, 1, 3, 3, 3])
        #expect(inflated.weights.tensors["bn1.running_mean"] == planar.weights.tensors["bn1.running_mean"])
        #expect(inflated.reshaped.map(\.name) == ["conv1.weight", "layer1.0.conv1.weight"])

        var draws = Draws(seed: 1, purpose: "image")
        let slice = (0..<25).map { _ in Float(draws.uniform()) }
        let kernel = try #require(planar.weights.tensors["conv1.weight"])
        let flat = Conv3D(
            inputChannels: 3, outputChannels: 2, kernel: Extent3(depth: 1, height: 3, width: 3), bias: false,
            dimensions: .two, on: cpu)
        flat.weight.scalars = try kernel.floats()
        let deep = Conv3D(inputChannels: 1, outputChannels: 2, kernel: 3, bias: false, on: cpu)
        deep.weight.scalars = try #require(inflated.weights.tensors["conv1.weight"]).floats()
        let colours = Tensor(slice.flatMap { [$0, $0, $0] }, shape: [1, 1, 5, 5, 3], on: cpu)
        let volume = Tensor(slice + slice + slice, shape: [1, 3, 5, 5, 1], on: cpu)
        let expected = flat(colours, in: .inference).scalars
        let inner = deep(volume, in: .inference).scalars[50..<100]
        for (actual, wanted) in zip(inner, expected) { #expect(abs(actual - wanted) < 1e-3 * max(1, abs(wanted))) }
    }
}
