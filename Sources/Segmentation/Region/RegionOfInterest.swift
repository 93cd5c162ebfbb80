import Tensors
import Volumes

/// How a box around a structure becomes the part of an image that a second network looks at: grown by a margin, in training
/// by a random one, since the first network will not find the structure exactly. Med3D's second stage for livers; Chen, Ma,
/// Zheng 2019, arXiv:1904.00625, which gives no numbers.
public struct RegionOfInterest: Sendable, Hashable, Codable {
    /// How far each face moves outwards, in millimetres.
    public var marginMM: Double
    /// How much further or less far each face moves in training, at most; no more than the margin.
    public var jitterMM: Double

    /// A margin and its spread.
    public init(marginMM: Double, jitterMM: Double = 0) {
        check(marginMM >= 0 && (0...marginMM).contains(jitterMM), "a margin of \(marginMM) ± \(jitterMM) mm")
        (self.marginMM, self.jitterMM) = (marginMM, jitterMM)
    }

    /// The box grown by the margin, rounded up to whole voxels, within the image.
    /// - Parameters:
    ///   - extent: the size of the image.
    ///   - spacingMM: the size of a voxel along depth, height and width.
    ///   - shift: in -1...1 for each of the six faces: the share of the jitter that it moves beyond the margin. Lower faces
    ///     come first.
    public func box(
        around structure: VoxelBox, in extent: Extent3, spacingMM: [Double], shift: [Double] = [0, 0, 0, 0, 0, 0]
    ) -> VoxelBox {
        func reach(_ face: Int) -> Int {
            // A hundredth of a voxel less: 10 mm are two voxels of 5, however the file rounds these.
            Int(((marginMM + jitterMM * shift[face]) / spacingMM[face % 3] - 0.01).rounded(.up))
        }
        let ranges = (0..<3).map { axis in
            max(
                0, structure[axis].lowerBound - reach(axis))..<min(
                    extent[axis], structure[axis].upperBound + reach(axis + 3))
        }
        return VoxelBox(depth: ranges[0], height: ranges[1], width: ranges[2])
    }
}

/// What of a training case is seen: another part of it at every draw.
public struct CaseRegion: Sendable {
    /// The box around the structure, in voxels of the case.
    public var structure: VoxelBox
    /// The size of the case.
    public var extent: Extent3
    /// The size of a voxel.
    public var spacingMM: [Double]
    /// How the box grows.
    public var interest: RegionOfInterest

    /// The box with its margin.
    public var box: VoxelBox { interest.box(around: structure, in: extent, spacingMM: spacingMM) }

    /// The box of one sample, each face moved by itself.
    func drawn(seed: UInt64, step: Int, sample: Int) -> VoxelBox {
        var draws = Draws(seed: seed, purpose: .region, step: step, sample: sample)
        return interest.box(
            around: structure, in: extent, spacingMM: spacingMM, shift: (0..<6).map { _ in draws.uniform(in: -1..<1) })
    }
}

extension LabeledCase {
    /// The case with the region around its foreground; without foreground all of it is seen, as where a first network finds
    /// nothing.
    /// - Parameter ignored: a label that is no foreground.
    /// - Throws: what reading a case of a store throws.
    public func inRegion(_ interest: RegionOfInterest, ignoring ignored: Int16?) throws -> LabeledCase {
        var result = self
        result.region = VoxelBox(around: try whole().labels ?? [], extent: source.extent, ignoring: ignored).map {
            CaseRegion(structure: $0, extent: source.extent, spacingMM: spacingMM, interest: interest)
        }
        return result
    }

    /// The part of the case in `box` as a case of its own.
    func seen(in box: VoxelBox) -> LabeledCase {
        var part = LabeledCase(
            name: name, source: RegionSource(of: source, in: box),
            foreground: foreground?.inside(box, of: source.extent))
        part.spacingMM = spacingMM
        return part
    }

    /// The case as it is validated: its region, with the margin as it is.
    public var validated: LabeledCase { region.map { seen(in: $0.box) } ?? self }
}

extension Draws.Purpose {
    /// How far the faces of a region move.
    static let region: Self = "region of interest"
}
