import Networks
import Tensors
import Testing
import WeightFiles

struct ModuleWeightsTests {
    private static let plan = NetworkPlan(inputChannels: 1, outputChannels: 2, features: [2, 3], blocks: [1, 1])

    private static func network(seed: UInt64) throws -> UNet {
        let network = try UNet(plan, on: CPU(threads: 1))
        Initializer.pytorchDefault.initialize(network, seed: seed)
        return network
    }

    private static func scalars(_ module: any Module) -> [[Float]] {
        module.namedParameters.map { $0.parameter.scalars }
    }

    /// 224 entries for 66 tensors: counted on PyTorch's `ResidualEncoderUNet.state_dict()`.
    @Test func aStateDictionaryHasEveryNameThatPyTorchGives() throws {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 3, features: [8, 16, 32], blocks: [1, 2, 2])
        let network = try UNet(plan, on: CPU(threads: 1))
        #expect(network.storedTensors(everyAlias: true).count == 224)
        #expect(network.storedTensors(everyAlias: false).count == 66)
    }

    @Test("what was saved is loaded, under either naming", arguments: [true, false])
    func roundTrip(everyAlias: Bool) throws {
        let (source, target) = (try Self.network(seed: 1), try Self.network(seed: 2))
        let report = try target.load(SafetensorsFile(tensors: source.storedTensors(everyAlias: everyAlias)))
        #expect(Self.scalars(target) == Self.scalars(source))
        #expect(report.loaded == target.namedParameters.map(\.name))
        #expect(report.untouched == [] && report.unused == [] && report.disagreeing == [])
    }

    /// The public SparK trainer leaves `conv` and `norm` untrained and trains their twins in `all_modules`.
    @Test func staleTwinsAreNotRead() throws {
        let (trained, stale, target) = (try Self.network(seed: 1), try Self.network(seed: 2), try Self.network(seed: 3))
        let staleTensors = stale.storedTensors(everyAlias: true).filter {
            !$0.key.contains("all_modules") && $0.key.contains("encoder.stages")
        }
        let tensors = trained.storedTensors(everyAlias: true).merging(staleTensors) { $1 }
        let report = try target.load(SafetensorsFile(tensors: tensors))
        #expect(Self.scalars(target) == Self.scalars(trained))
        #expect(report.disagreeing.contains("encoder.stages.0.blocks.0.conv1.conv.weight"))
        #expect(!report.disagreeing.contains("encoder.stem.convs.0.conv.weight"))
    }

    @Test func everyDifferenceMustBeIntended() throws {
        let (source, target) = (try Self.network(seed: 1), try Self.network(seed: 2))
        let before = Self.scalars(target)
        let tensors = source.storedTensors(everyAlias: false)
        let stem = "encoder.stem.convs.0.conv.weight"

        let encoderOnly = SafetensorsFile(tensors: tensors.filter { $0.key.hasPrefix("encoder.") })
        #expect(throws: ModuleWeightsError.self) { try target.load(encoderOnly) }
        #expect(throws: ModuleWeightsError.self) { try target.load(encoderOnly, allowing: .missing(under: "enc")) }

        let extra = SafetensorsFile(
            tensors: tensors.merging(["tokens.0": StoredTensor([0 as Float], shape: [1])]) { $1 })
        #expect(throws: ModuleWeightsError.unused(file: "(in memory)", names: ["tokens.0"])) { try target.load(extra) }

        var wrong = tensors
        wrong[stem] = StoredTensor([Float](repeating: 0, count: 54), shape: [2, 1, 3, 3, 3].reversed())
        #expect(
            throws: ModuleWeightsError.shape(
                file: "(in memory)", name: stem, expected: [2, 1, 3, 3, 3], found: [3, 3, 3, 1, 2])
        ) { try target.load(SafetensorsFile(tensors: wrong)) }

        wrong[stem] = StoredTensor([Int32](repeating: 0, count: 54), shape: [2, 1, 3, 3, 3])
        #expect(throws: ModuleWeightsError.notFloatingPoint(file: "(in memory)", name: stem, found: .int32)) {
            try target.load(SafetensorsFile(tensors: wrong))
        }
        #expect(Self.scalars(target) == before, "a refused file must change nothing")

        let report = try target.load(encoderOnly, allowing: .missing(under: "decoder"))
        #expect(report.untouched.allSatisfy { $0.hasPrefix("decoder.") } && !report.untouched.isEmpty)
        #expect(Self.scalars(target.encoder) == Self.scalars(source.encoder))
        #expect(try target.load(extra, allowing: .unused(under: "tokens")).unused == ["tokens.0"])
    }
}
