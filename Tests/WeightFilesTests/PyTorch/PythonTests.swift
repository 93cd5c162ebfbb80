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

        try runPython(Self.script)

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

    /// torchvision's own network, its convolutions inflated in PyTorch.
    private static let planarScript = """
        import sys, torch, torchvision

        folder = sys.argv[1]
        torch.manual_seed(1)
        network = torchvision.models.resnet18(weights=None).eval()
        with torch.no_grad():
            for module in network.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.running_mean.normal_(0, 0.2); module.running_var.uniform_(0.5, 2)
        torch.save(network.state_dict(), f"{folder}/planar.pth")

        def inflated(conv, sums):
            k, stride, padding = conv.kernel_size[0], conv.stride[0], conv.padding[0]
            weight = conv.weight.sum(1, keepdim=True) if sums else conv.weight
            deep = torch.nn.Conv3d(weight.shape[1], weight.shape[0], k, stride, padding, bias=False)
            deep.weight.data = weight.unsqueeze(2).repeat(1, 1, k, 1, 1) / k
            return deep

        def deepen(module, first):
            for name, child in module.named_children():
                if isinstance(child, torch.nn.Conv2d):
                    setattr(module, name, inflated(child, first and name == "conv1"))
                elif isinstance(child, torch.nn.BatchNorm2d):
                    deep = torch.nn.BatchNorm3d(child.num_features)
                    deep.load_state_dict(child.state_dict())
                    setattr(module, name, deep.eval())
                elif isinstance(child, torch.nn.MaxPool2d):
                    setattr(module, name, torch.nn.MaxPool3d(3, 2, 1))
                else:
                    deepen(child, False)

        deepen(network, True)
        x = torch.randn(1, 1, 32, 32, 32)
        with torch.no_grad():
            stem = network.relu(network.bn1(network.conv1(x)))
            maps, y = [stem], network.maxpool(stem)
            for layer in (network.layer1, network.layer2, network.layer3, network.layer4):
                y = layer(y)
                maps.append(y)
        torch.save({"x": x, **{f"map{i}": m for i, m in enumerate(maps)}}, f"{folder}/maps.pth")
        """

    @Test("the encoder of an inflated 2D ResNet computes what PyTorch computes")
    func planar() throws {
        try runPython(Self.planarScript)
        let cpu = CPU(precision: .float32)
        let file = try WeightsFile.read(folder("planar.pth"))
        let plan = try #require(file.planAsUNet)
        #expect(plan.resNet == ResNetShape(inflated: .eighteen) && plan.inputChannels == 1)
        let network = try UNet(plan, on: cpu)
        try network.load(file.asUNet().weights, allowing: .missing(under: "decoder"))
        let expected = try PyTorchFile.read(folder("maps.pth")).tensors
        let x = Tensor(try #require(expected["x"]).floats(), shape: [1, 32, 32, 32, 1], on: cpu)
        for (index, map) in network.encoder(x, in: .inference).enumerated() {
            try expectClose(map.channelsFirst, #require(expected["map\(index)"]).floats())
        }
    }

    private func expectClose(_ actual: [Float], _ expected: [Float]) throws {
        try #require(actual.count == expected.count)
        let worst = zip(actual, expected).map { abs($0 - $1) }.max() ?? 0
        let largest = max(1, expected.map(abs).max() ?? 0)
        #expect(worst < 2e-5 * largest, "the outputs differ by \(worst) of \(largest)")
        #expect(expected.contains { abs($0) > 0.01 })
    }

    private func runPython(_ script: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: ProcessInfo.processInfo.environment["WARMSTART_PYTHON"] ?? "")
        process.arguments = ["-c", script, folder.path]
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
