import Foundation
import Tensors

extension DynamicPlanner {
    /// The plans of a dataset.
    public struct Plans: Hashable, Sendable {
        /// Volumes at full resolution: the plan to use unless there is a reason not to.
        public var fullResolution: Plan
        /// Volumes at low resolution, if a patch of full resolution sees less than a quarter of an image.
        public var lowResolution: Plan?
        /// Single slices, as volumes of depth 1.
        public var planar: Plan
    }

    /// Plans a dataset.
    ///
    /// - Parameters:
    ///   - fingerprint: of the training cases.
    ///   - channelNames: the channels' names: `CT` chooses the scheme for Hounsfield units, `noNorm`, `rescale_to_0_1` and
    ///     `rgb_to_0_1` those of nnU-Net, everything else the z-score.
    ///   - outputChannels: classes with background, or regions.
    public func plans(for fingerprint: Fingerprint, channelNames: [String], outputChannels: Int) -> Plans {
        let target = TargetSpacing(fingerprint.shapes)
        let cases = Double(fingerprint.shapes.count)
        let channels = fingerprint.channels(named: channelNames)
        let datasetVoxels = target.medianSize.reduce(cases, *)

        func plan(_ name: String, _ spacing: [Double], _ size: [Double], batchDice: Bool) -> Plan {
            let fit = fit(
                Request(
                    spacingMM: spacing, medianSize: size, outputChannels: outputChannels, datasetVoxels: datasetVoxels))
            return Plan(
                name: name, transpose: AxisOrder(target.transpose),
                spacingMM: spacing.count == 3 ? spacing : [nil] + spacing,
                patch: fit.patch, batch: fit.batch, channels: channels, outputChannels: outputChannels,
                network: fit.network, batchDice: batchDice)
        }

        let (spacing, size) = (target.orderedSpacingMM, target.medianSize)
        var full = plan("3d_fullres", spacing, size, batchDice: false)
        let low = lowResolution(below: full, spacing, size) { plan("3d_lowres", $0, $1, batchDice: false) }
        full.batchDice = low != nil
        let planar = plan("2d", Array(spacing.dropFirst()), Array(size.dropFirst()), batchDice: true)
        return Plans(fullResolution: full, lowResolution: low, planar: planar)
    }

    /// Coarsens the grid in steps of 3 %, the finest axes first, until a patch covers a quarter of the median image. Not
    /// worth a network of its own if the image then still has more than half of its voxels.
    private func lowResolution(
        below full: Plan, _ fullSpacing: [Double], _ fullSize: [Double], _ plan: ([Double], [Double]) -> Plan
    ) -> Plan? {
        var (spacing, low) = (fullSpacing, Plan?.none)
        let fullVoxels = fullSize.reduce(1, *)
        var (patchVoxels, voxels) = (Double(full.patch.volume), fullVoxels)
        while patchVoxels / voxels < 0.25 {
            let coarsest = spacing.max() ?? 1
            let isFine = spacing.map { coarsest / $0 > 2 }
            let anyFine = isFine.contains(true)
            for axis in spacing.indices where isFine[axis] || !anyFine { spacing[axis] *= 1.03 }
            let size = spacing.indices.map { fullSpacing[$0] / spacing[$0] * fullSize[$0] }
            voxels = size.reduce(1, *)
            let candidate = plan(spacing, size.map { $0.rounded(.toNearestOrEven) })
            patchVoxels = Double(candidate.patch.volume)
            low = candidate
        }
        return fullVoxels / voxels < 2 ? nil : low
    }
}

extension Fingerprint {
    /// Each channel with the normalization that its name asks for.
    fileprivate func channels(named names: [String]) -> [Plan.Channel] {
        let insideOnly = relativeSizeAfterCropping < 0.75
        return names.enumerated().map { index, name in
            let normalization: Normalization =
                switch name.lowercased() {
                case "ct":
                    if intensities.indices.contains(index) {
                        .ct(
                            CTStatistics(
                                mean: intensities[index].mean, deviation: intensities[index].deviation,
                                lower: intensities[index].percentile00_5, upper: intensities[index].percentile99_5))
                    } else {
                        .zScore(insideOnly: insideOnly)
                    }
                case "nonorm": Normalization.none
                case "rescale_to_0_1": .zeroToOne
                case "rgb_to_0_1": .rgb
                default: .zScore(insideOnly: insideOnly)
                }
            return Plan.Channel(name: name, normalization: normalization)
        }
    }
}
