import Tensors

/// An image of one or more channels and the grid it lies on.
public struct Volume: Sendable {
    /// The intensities, `[C, D, H, W]`.
    public var voxels: [Float]
    /// One name for each channel, for example `CT`, or `T1` and `FLAIR`.
    public var channelNames: [String]
    /// Extent, spacing and place in the patient.
    public var geometry: Geometry
    /// The header of the file that the volume was read from. A volume on the same grid that is written with it keeps the
    /// file's geometry byte for byte.
    public var header: NIfTIHeader?

    /// A volume of `channelNames.count` channels; names that are not given are `0`, `1`, ...
    ///
    /// - Parameter voxels: `[C, D, H, W]`, a whole number of channels.
    public init(
        voxels: [Float], channelNames: [String]? = nil, geometry: Geometry, header: NIfTIHeader? = nil
    ) {
        let channels = geometry.extent.volume > 0 ? voxels.count / geometry.extent.volume : 0
        let names = channelNames ?? (0..<channels).map(String.init)
        check(
            voxels.count == names.count * geometry.extent.volume,
            "\(names.count) channels of \(geometry.extent) voxels need \(names.count * geometry.extent.volume) values, got \(voxels.count)"
        )
        (self.voxels, self.channelNames, self.geometry, self.header) = (voxels, names, geometry, header)
    }

    /// The number of channels.
    public var channels: Int { channelNames.count }
    /// The number of voxels along depth, height and width.
    public var extent: Extent3 { geometry.extent }
    /// The distance between neighbours along depth, height and width, in millimetres.
    public var spacingMM: [Double] { geometry.spacingMM }
    /// From the file's voxel index `(i, j, k)` to RAS+ millimetres.
    public var affine: Affine { geometry.affine }

    /// The intensities `[D, H, W]` of one channel.
    public func channel(_ channel: Int) -> ArraySlice<Float> {
        check((0..<channels).contains(channel), "channel \(channel) of a volume with \(channels)")
        return voxels[channel * extent.volume..<(channel + 1) * extent.volume]
    }

    /// The number of voxels that are not a number or infinite.
    public var nonFiniteCount: Int { voxels.withUnsafeBufferPointer { countNonFinite($0) } }

    /// The number of voxels of one channel that are not a number or infinite.
    public func nonFiniteCount(inChannel channel: Int) -> Int {
        self.channel(channel).withUnsafeBufferPointer { countNonFinite($0) }
    }

    /// The largest intensity of one channel, without its sign, if arithmetic in single precision might overflow on it: beyond
    /// 10^30. That is no measurement; some tools mark background with the lowest of all numbers. Else nil.
    public func implausibleIntensity(inChannel channel: Int) -> Float? {
        let largest = self.channel(channel).withUnsafeBufferPointer(largestMagnitude)
        return largest > 1e30 ? largest : nil
    }
}

/// The largest of the values without their signs, which must be finite; 0 of none.
private func largestMagnitude(_ values: UnsafeBufferPointer<Float>) -> Float {
    var largest = SIMD16<Float>.zero
    let vectors = values.count / 16
    let base = UnsafeRawPointer(values.baseAddress)
    for index in 0..<vectors {
        guard let base else { break }
        let vector = base.loadUnaligned(fromByteOffset: 64 * index, as: SIMD16<Float>.self)
        largest = pointwiseMax(largest, pointwiseMax(vector, -vector))
    }
    return values[(16 * vectors)...].reduce(largest.max()) { max($0, abs($1)) }
}

private func countNonFinite(_ values: UnsafeBufferPointer<Float>) -> Int {
    // Nearly always there are none: 0 times a finite number is 0, in any sum, and a vector's width at a time.
    var sum = SIMD16<Float>.zero
    let vectors = values.count / 16
    let base = UnsafeRawPointer(values.baseAddress)
    for index in 0..<vectors {
        guard let base else { break }
        sum += base.loadUnaligned(fromByteOffset: 64 * index, as: SIMD16<Float>.self) * 0
    }
    let isClean = sum == .zero && values[(16 * vectors)...].allSatisfy(\.isFinite)
    return isClean ? 0 : values.reduce(0) { $0 + ($1.isFinite ? 0 : 1) }
}
