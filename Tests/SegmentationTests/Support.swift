import Foundation
import Networks
import Segmentation
import Tensors
import Volumes

/// A folder that lives as long as the value.
final class TemporaryFolder {
    let path = NSTemporaryDirectory() + "warmstart-test-\(UUID().uuidString)"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}

extension Plan {
    /// Two stages, patches of 16 voxels.
    static func tiny(spacingMM: [Double] = [1, 1, 1], transpose: AxisOrder = [0, 1, 2]) -> Plan {
        var plan = Plan.fixed(
            channelNames: ["T1"], outputChannels: 3, patch: 16,
            network: NetworkTopology(
                architecture: .residual, features: [4, 8], strides: [1, 2], kernels: [3, 3], blocks: [1, 1],
                decoderConvolutions: [1]), spacingMM: spacingMM)
        plan.transpose = transpose
        return plan
    }
}

extension Phantom {
    /// A dataset of small hippocampi.
    static func smallDataset(in folder: TemporaryFolder, cases: Int, on cpu: CPU, spacingMM: [Double] = [2, 2, 2])
        throws
        -> NNUNetDataset
    {
        try Phantom(.hippocampus, spacingMM: spacingMM).writeDataset(
            to: folder("data"), name: "small", cases: cases, seed: 3, on: cpu)
        return try NNUNetDataset(path: folder("data"))
    }
}

extension Volume {
    /// A turned, anisotropic grid with an empty border, so that preprocessing reorders, crops and resamples.
    static func turned() -> Volume {
        let affine = Affine(
            x: SIMD4(0.05, -1.4, 0.1, -20), y: SIMD4(0.9, 0.06, 0.2, 5), z: SIMD4(-0.1, 0.02, 2.2, 31))
        let geometry = Geometry(extent: Extent3(depth: 9, height: 14, width: 21), affine: affine)
        var draws = Draws(seed: 2, purpose: "test")
        let voxels = (0..<geometry.extent.volume).map { $0 % 21 < 2 ? 0 : Float(100 + 20 * draws.normal()) }
        return Volume(voxels: voxels, channelNames: ["T1"], geometry: geometry)
    }
}
