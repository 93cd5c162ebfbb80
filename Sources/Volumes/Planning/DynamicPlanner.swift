import Foundation
import Tensors

/// Fits spacing, patch, batch and network to a dataset and a memory budget, as nnU-Net does.
///
/// All lists are in the order of the transposed axes. Source: Isensee et al., Nature Methods 2021, and nnU-Net 2.5's
/// `ExperimentPlanner` and `ResEncUNetPlanner`.
public struct DynamicPlanner: Sendable {
    /// The kind of network and its budget.
    public var preset: PlannerPreset

    /// A planner for a preset.
    public init(preset: PlannerPreset) { self.preset = preset }

    /// What the planner knows of a dataset, once spacing and order of the axes are decided.
    package struct Request: Hashable {
        /// The size of a voxel, per axis: three for a volumetric network, two for a planar one.
        package var spacingMM: [Double]
        /// The median over cases of the size in voxels at that spacing.
        package var medianSize: [Double]
        package var outputChannels: Int
        /// The voxels of the whole dataset at that spacing: median size times cases.
        package var datasetVoxels: Double

        package init(spacingMM: [Double], medianSize: [Double], outputChannels: Int, datasetVoxels: Double) {
            (self.spacingMM, self.medianSize) = (spacingMM, medianSize)
            (self.outputChannels, self.datasetVoxels) = (outputChannels, datasetVoxels)
        }
    }

    /// Patch, batch and network for one request.
    package struct Fit: Hashable {
        package var patch: Extent3
        package var batch: Int
        package var network: NetworkTopology
        /// The activation count of the network on the patch, in one sample.
        package var activations: Int
    }

    /// Starts from the largest sensible patch and takes voxels from the axis that covers most of its images, until the
    /// network fits the budget; spends what is left on the batch.
    package func fit(_ request: Request) -> Fit {
        let axes = request.spacingMM.count
        let referenceBatch = preset.batch(axes: axes)
        let budget = preset.budget(axes: axes)
        // nnU-Net's two planners scale the estimate differently: equal in 3D, not in 2D.
        let scale = preset.architecture == .plain ? 2 / referenceBatch : 1

        func topology(_ patch: [Double]) -> PoolingTopology {
            PoolingTopology(spacingMM: request.spacingMM, patch: patch)
        }
        var current = topology(initialPatch(request))
        var activations = count(current, request)
        while Double(activations) * scale > budget {
            let coverage = current.patch.indices.map { Double(current.patch[$0]) / request.medianSize[$0] }
            var axis = 0
            for other in coverage.indices where coverage[other] >= coverage[axis] { axis = other }
            // Taking the divisor away may lower the divisor: try, then take away the new one only.
            var patch = current.patch.map(Double.init)
            patch[axis] -= Double(current.divisors[axis])
            let divisor = topology(patch).divisors[axis]
            patch[axis] = Double(current.patch[axis] - divisor)
            current = topology(patch)
            activations = count(current, request)
        }

        let patchVoxels = Double(current.patch.reduce(1, *))
        let affordable = (budget / Double(activations) * referenceBatch).rounded(.toNearestOrEven)
        let cap = (request.datasetVoxels * preset.datasetCover / patchVoxels).rounded(.toNearestOrEven)
        return Fit(
            patch: Extent3(padding: current.patch), batch: Int(max(min(affordable, cap), 2)),
            network: network(current), activations: activations)
    }

    /// A patch as isotropic in millimetres as its voxels allow, of 256³ (or 2048²) voxels, within the median image.
    private func initialPatch(_ request: Request) -> [Double] {
        let axes = Double(request.spacingMM.count)
        let voxels = axes == 3 ? 256.0 * 256 * 256 : 2048.0 * 2048
        let density = request.spacingMM.map { 1 / $0 }
        let scale = pow(voxels / density.reduce(1, *), 1 / axes)
        return zip(density, request.medianSize).map { min(($0 * scale).rounded(.toNearestOrEven), $1) }
    }

    private func count(_ topology: PoolingTopology, _ request: Request) -> Int {
        network(topology).activationCount(
            patch: Extent3(padding: topology.patch), outputChannels: request.outputChannels)
    }

    private func network(_ topology: PoolingTopology) -> NetworkTopology {
        let stages = topology.strides.count
        let widest = topology.patch.count == 3 ? 320 : 512
        let isPlain = preset.architecture == .plain
        let blocks = (0..<stages).map { isPlain ? 2 : [1, 3, 4, 6][min($0, 3)] }
        return NetworkTopology(
            architecture: preset.architecture, features: (0..<stages).map { min(widest, 32 << min($0, 8)) },
            strides: topology.strides.map(Extent3.init(padding:)),
            kernels: topology.kernels.map(Extent3.init(padding:)),
            blocks: blocks,
            decoderConvolutions: [Int](repeating: isPlain ? 2 : 1, count: stages - 1))
    }
}

extension Extent3 {
    /// Three axes as they are, two behind a depth of 1: planar networks are volumetric ones of depth 1.
    fileprivate init(padding axes: [Int]) { self.init(dimensions: axes.count == 3 ? axes : [1] + axes) }
}
