import Foundation
import Networks
import Tensors
import Testing
import WeightFiles

/// Against the tools themselves: `WARMSTART_PYTHON` names a Python with torch, nnunetv2 and
/// dynamic-network-architectures.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["WARMSTART_PYTHON"] != nil,
        "set WARMSTART_PYTHON to a Python with torch and nnunetv2 to run it"))
struct PythonTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    /// nnU-Net's own loader takes our checkpoint and computes what we compute; then it saves a network for us.
    private static let script = """
        import sys, torch
        from nnunetv2.run.load_pretrained_weights import load_pretrained_weights
        from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

        folder = sys.argv[1]
        checkpoint = torch.load(f"{folder}/ours.pth", weights_only=True)
        arguments = checkpoint["init_args"]
        architecture = arguments["plans"]["configurations"][arguments["configuration"]]["architecture"]

        def build():
            return get_network_from_plans(
                architecture["network_class_name"], architecture["arch_kwargs"], architecture["_kw_requires_import"],
                1, 3, allow_init=True, deep_supervision=False).eval()

        x = torch.load(f"{folder}/input.pth", weights_only=True)["x"]
        network = build()
        load_pretrained_weights(network, f"{folder}/ours.pth")
        heads = {k: v for k, v in checkpoint["network_weights"].items() if ".seg_layers." in k}
        network.load_state_dict(heads, strict=False)
        other = build()
        other.load_state_dict(checkpoint["network_weights"], strict=True)
        adaptation = torch.load(f"{folder}/nnssl.pth", weights_only=True)["nnssl_adaptation_plan"]
        encoder = network.get_submodule(adaptation["key_to_encoder"]), network.get_submodule(adaptation["key_to_stem"])
        theirs = build()
        with torch.no_grad():
            for parameter in theirs.parameters():
                parameter.add_(0.05 * torch.randn(parameter.shape))
            torch.save({"pretrained": network(x), "strict": other(x)}, f"{folder}/outputs.pth")
            content = {"network_weights": theirs.state_dict(), "trainer_name": "nnUNetTrainer", "y": theirs(x)}
        torch.save(content, f"{folder}/theirs.pth")
        torch.save(content, f"{folder}/legacy.pth", _use_new_zipfile_serialization=False)
        """

    @Test(
        "nnU-Net loads our weights and we load its, with equal outputs",
        arguments: [NetworkPlan.Architecture.resEnc, .plain])
    func nnUNet(architecture: NetworkPlan.Architecture) throws {
        let cpu = CPU(precision: .float32)
        let plan = NetworkPlan(
            architecture: architecture, inputChannels: 1, outputChannels: 3, features: [4, 8, 8],
            strides: [1, Extent3(depth: 1, height: 2, width: 2), 2],
            kernels: [Extent3(depth: 1, height: 3, width: 3), 3, 3], blocks: [1, 2, 1], decoderConvolutions: [1, 2])
        let network = try UNet(plan, on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: 5)
        let card = TransferCard(
            architecture: plan, method: "s3d", patch: Extent3(depth: 4, height: 16, width: 12), spacingMM: [3, 1, 1],
            normalization: ["z_score"])
        try SafetensorsFile.write(
            network.storedTensors(everyAlias: true), metadata: card.metadata, to: folder("weights.safetensors"))
        let export = try CheckpointExport(WeightsFile.read(folder("weights.safetensors")))
        try export.write(.nnUNet, to: folder("ours.pth"))
        try export.write(.nnssl, to: folder("nnssl.pth"))
        var draws = Draws(seed: 1, purpose: "image")
        let x = Tensor((0..<4 * 16 * 12).map { _ in Float(draws.normal()) }, shape: [1, 4, 16, 12, 1], on: cpu)
        let input = StoredTensor(x.scalars, shape: [1, 1, 4, 16, 12])
        try PyTorchFile.write(.dictionary([("x", .tensor(input, storage: "x"))]), to: folder("input.pth"))

        try runPython()

        let outputs = try PyTorchFile.read(folder("outputs.pth")).tensors
        let ours = network(x, in: .inference)[0].channelsFirst
        for name in ["pretrained", "strict"] { try expectClose(ours, #require(outputs[name]).floats()) }
        for name in ["theirs.pth", "legacy.pth"] {
            let theirs = try UNet(plan, on: cpu)
            try theirs.load(WeightsFile.read(folder(name)).unet())
            let expected = try #require(PyTorchFile.read(folder(name)).tensors["y"]).floats()
            try expectClose(theirs(x, in: .inference)[0].channelsFirst, expected)
        }
    }

    private func expectClose(_ actual: [Float], _ expected: [Float]) throws {
        try #require(actual.count == expected.count)
        let worst = zip(actual, expected).map { abs($0 - $1) }.max() ?? 0
        #expect(worst < 2e-5, "the outputs differ by \(worst)")
        #expect(expected.contains { abs($0) > 0.01 })
    }

    private func runPython() throws {
        let process = Process()
        process.executableURL = URL(filePath: ProcessInfo.processInfo.environment["WARMSTART_PYTHON"] ?? "")
        process.arguments = ["-c", Self.script, folder.path]
        process.standardOutput = FileHandle.nullDevice
        let errors = folder("errors.txt")
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: errors)
        try process.run()
        process.waitUntilExit()
        let text = try String(contentsOfFile: errors, encoding: .utf8)
        try #require(process.terminationStatus == 0, "\(text.suffix(2000))")
    }
}
