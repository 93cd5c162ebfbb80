import Tensors
import Volumes

/// How well a network knows where it is wrong in one case.
public struct ConfidenceProfile: Sendable, Hashable, Codable {
    /// How far around the reference's foreground ``reliability`` is measured. Far away every network is sure and right: with
    /// those voxels, large images would look better calibrated than small ones (Mehrtash et al. 2020, arXiv:1911.13273, who
    /// measure in boxes around the foreground). The set depends on the reference alone, and is the same for every network.
    public static let marginMM = 5.0
    /// The threshold of ``overlap`` in reports, in tenths of the largest entropy.
    public static let uncertainTenths = 5

    /// Of the voxels within ``marginMM`` of the reference's foreground, these included.
    public var reliability = Reliability()
    /// Of all voxels.
    public var overlap = UncertaintyOverlap()

    /// The error between confidence and accuracy; NaN for a reference without foreground.
    public var expectedCalibrationError: Double { reliability.expectedCalibrationError }
    /// The Dice of uncertain and wrong voxels; NaN where there are neither.
    public var uncertaintyErrorOverlap: Double { overlap.dice(fromTenths: Self.uncertainTenths) }

    /// The profile of a prediction; all maps are `[D, H, W]` of `geometry`.
    /// - Parameters:
    ///   - decided: the labels that the network decided on. A voxel is right if it is in the same structures as the
    ///     reference's.
    ///   - confidence: their probabilities.
    ///   - uncertainty: from 0, sure, to 1.
    ///   - structures: the foreground.
    ///   - ignoredLabel: voxels with this label in the reference do not count.
    public init(
        decided: [Int16], confidence: [Float], uncertainty: [Float], reference: [Int16], geometry: Geometry,
        structures: [Structure], ignoredLabel: Int? = nil, on cpu: CPU
    ) {
        let voxels = geometry.extent.volume
        check(
            [decided.count, confidence.count, uncertainty.count, reference.count].allSatisfy { $0 == voxels },
            "maps are [D, H, W] of \(geometry.extent)")
        let (kinds, ignored) = (LabelKinds(structures), ignoredLabel.map(Int16.init))
        func isRight(_ voxel: Int) -> Bool { kinds[decided[voxel]] == kinds[reference[voxel]] }
        for voxel in 0..<voxels where reference[voxel] != ignored {
            overlap.add(uncertainty: uncertainty[voxel], isRight: isRight(voxel))
        }
        Self.forEachVoxel(
            near: { kinds[$0] != 0 && $0 != ignored }, of: reference, geometry, on: cpu
        ) { voxel in
            guard reference[voxel] != ignored else { return }
            reliability.add(confidence: confidence[voxel], isRight: isRight(voxel))
        }
    }

    /// Visits the voxels within ``marginMM`` of the labels that `isTarget` names.
    private static func forEachVoxel(
        near isTarget: (Int16) -> Bool, of labels: [Int16], _ geometry: Geometry, on cpu: CPU, _ body: (Int) -> Void
    ) {
        let (extent, spacingMM) = (geometry.extent, geometry.spacingMM)
        // Distances are needed in the box of the targets and its surroundings only.
        var (lower, upper) = ([Int.max, Int.max, Int.max], [-1, -1, -1])
        var voxel = 0
        for depth in 0..<extent.depth {
            for height in 0..<extent.height {
                for width in 0..<extent.width {
                    if isTarget(labels[voxel]) {
                        (lower[0], upper[0]) = (min(lower[0], depth), depth)
                        (lower[1], upper[1]) = (min(lower[1], height), max(upper[1], height))
                        (lower[2], upper[2]) = (min(lower[2], width), max(upper[2], width))
                    }
                    voxel += 1
                }
            }
        }
        guard upper[0] >= 0 else { return }
        let ranges = (0..<3).map { axis in
            let margin = Int((marginMM / spacingMM[axis]).rounded(.up))
            return max(0, lower[axis] - margin)..<min(extent[axis], upper[axis] + margin + 1)
        }
        let box = VoxelBox(depth: ranges[0], height: ranges[1], width: ranges[2])
        let inside = box.cropped(labels, from: extent)
        let distances = euclideanDistancesMM(
            to: inside.indices.filter { isTarget(inside[$0]) }, extent: box.extent, spacingMM: spacingMM, on: cpu)
        var index = 0
        for depth in box.depth {
            for height in box.height {
                for width in box.width {
                    if distances[index] <= marginMM { body((depth * extent.height + height) * extent.width + width) }
                    index += 1
                }
            }
        }
    }
}

/// Tells labels apart by the structures that they belong to; 0 is the background.
private struct LabelKinds {
    private var kinds = [UInt16](repeating: 0, count: 1 << 16)

    init(_ structures: [Structure]) {
        var known: [[Int]: UInt16] = [:]
        for label in structures.reduce(into: Set<Int>(), { $0.formUnion($1.labels) }).sorted() where label != 0 {
            guard let index = Int16(exactly: label) else { continue }
            let members = structures.indices.filter { structures[$0].labels.contains(label) }
            let kind = known[members] ?? UInt16(known.count + 1)
            known[members] = kind
            kinds[Int(UInt16(bitPattern: index))] = kind
        }
    }

    subscript(label: Int16) -> UInt16 { kinds[Int(UInt16(bitPattern: label))] }
}
