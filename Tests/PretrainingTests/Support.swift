import Foundation
import Pretraining
import Tensors
import Training
import Volumes

/// A volume of smooth waves: what is hidden follows from what is seen.
func waves(seed: UInt64, edge: Int = 24) -> PretrainingData.Image {
    var draws = Draws(seed: seed, purpose: "test waves")
    let phases = (0..<3).map { _ in draws.uniform(in: 0..<6) }
    let voxels = (0..<edge * edge * edge).map { index -> Float in
        let place = [index / (edge * edge), index / edge % edge, index % edge]
        let waves = (0..<3).map { axis -> Double in sin(0.6 * Double(place[axis]) + phases[axis]) }
        return Float(waves.reduce(0, +) / 1.22)
    }
    return .init(name: "waves\(seed)", source: Patch(image: voxels, channels: 1, labels: nil, extent: Extent3(edge)))
}

/// Four volumes to learn from and one to judge by.
let wavesData = PretrainingData(training: (0..<4).map { waves(seed: $0) }, validation: [waves(seed: 9)])

/// Two labeled datasets of waves: crests, and crests and troughs.
let labeledWavesData: PretrainingData = {
    func labeled(_ seed: UInt64, domain: Int) -> PretrainingData.Image {
        let image = waves(seed: seed)
        guard let patch = image.source as? Patch else { return image }
        let labels = patch.image.map { value -> Int16 in value > 0.7 ? 1 : value < -0.7 && domain == 1 ? 2 : 0 }
        return .init(
            name: image.name,
            source: Patch(image: patch.image, channels: 1, labels: labels, extent: patch.extent), domain: domain)
    }
    return PretrainingData(
        training: (0..<4).map { labeled($0, domain: Int($0) % 2) }, validation: [labeled(9, domain: 1)],
        domains: [LabeledDomain(name: "crests", classes: 2), LabeledDomain(name: "both", classes: 3)])
}()

/// What a method can learn from.
func tinyData(_ method: any PretextMethod) -> PretrainingData {
    type(of: method).needsLabels ? labeledWavesData : wavesData
}

/// Small crops of a few volumes.
private let crops = "patch: 8, batch: 4"
/// A network of two stages.
private let small = ", features: [8, 12], blocks: [1, 1]"

/// The smallest recipe with which a method shows that it works: seconds on two cores.
func tinyRecipe(_ method: String, steps: Int, _ overrides: String...) throws -> (PretrainingRecipe, ResolvedRecipe) {
    let (plan, own) =
        switch method {
        case "s3d": ("", "masking: {block: 2, ratio: 0.6}")
        case "mae": ("", "masking: {block: 4, ratio: 0.6}")
        case "genesis": ("", "deformation: {shuffling_windows: 50}")
        case "volume-fusion": ("", "fusion: {boxes: [3, 6], smallest_box: 4}")
        case "simclr": (crops, "views: {volume: 16}\ncontrast: {width: 32}")
        case "moco": (crops, "views: {volume: 16}\ncontrast: {head: [32, 16], queue: 32, momentum: 0.9}")
        case "voco": (crops, "views: {grid: [2, 2, 1], targets: 3}\ncontrast: {width: 32}")
        case "swin-pretext": ("", "heads: {width: 16}")
        case "gvsl":
            (
                "patch: 16, batch: 1",
                "views: {shuffling_windows: 50, elastic_sigma: 3}\nheads: {affine: 16, deformation: 8, restoration: 8}"
            )
        case "pcrlv2": ("patch: 16, batch: 2, features: [8, 12, 16], blocks: [1, 1, 1]", "views: {local_patch: 8}")
        default: ("", "")
        }
    let text = """
        method: \(method)
        plan: {\(plan.isEmpty ? "patch: 16, batch: 2" : plan)\(plan.contains("features") ? "" : small)}
        augmentation: {rotation_probability: 0, scaling_probability: 0}
        optimizer: {momentum: 0.9}
        schedule: {stages: [{steps: \(steps), shape: constant, peak: 0.03}]}
        validation: {batches: 2}
        run: {checkpoint_steps: 7}
        \(own)
        """
    return try RecipeDocument.parse(text, overrides: overrides).resolve(PretrainingRecipe.init(reading:))
}

/// Trains in the folder at `path`, from its checkpoint if there is one.
/// - Parameter stop: how many steps to make before someone interrupts; nil: all.
func pretrain(
    _ recipe: (PretrainingRecipe, ResolvedRecipe), at path: String, stoppingAfter stop: Int? = nil, on cpu: CPU
) throws {
    try pretrain(recipe.0.method, recipe.0, recipe.1, path, stop, cpu)
}

private func pretrain(
    _ method: some PretextMethod, _ recipe: PretrainingRecipe, _ resolved: ResolvedRecipe, _ path: String,
    _ stop: Int?, _ cpu: CPU
) throws {
    let run =
        try FileManager.default.fileExists(atPath: path)
        ? RunDirectory.resume(path, recipe: resolved) : RunDirectory.create(path, recipe: resolved)
    let task = try method.task(recipe.setup, data: tinyData(method), on: cpu)
    var loop = try TrainingLoop(task, recipe: recipe.training, in: run)
    let (interruption, steps) = (Interruption(), Locked(0))
    var progress = Progress("", total: 0, unit: "step", isTerminal: true, write: { _ in }) {
        steps.change { $0 += 1 }
        if steps.value == stop { interruption.request() }
        return 0
    }
    try loop.train(interruption: interruption, progress: &progress)
}

/// Calls `body` with a path at which there is nothing, and removes what it left there.
func withFolder(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "pretraining-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}

/// The numbers of a run's log under a key, in order.
func logged<Value>(_ key: String, at path: String, as type: Value.Type = Value.self) throws -> [Value] {
    try String(contentsOfFile: "\(path)/log.jsonl", encoding: .utf8).split(separator: "\n").compactMap { line in
        (try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?[key] as? Value
    }
}
