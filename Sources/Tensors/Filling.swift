/// What is known of a dense map inside the hidden blocks of a mask: from `firstChannel` on two voxels of a sample are equal,
/// but for rounding, if no visible voxel is within `reach` of either, and each face of the map that is within reach of one is
/// as far from the other.
///
/// ``fillHidden(_:token:)`` makes such maps, a convolution carries it further. Whoever computes with such a map may compute
/// once what equal voxels have in common. In exchange, all that counts of its gradient is the sum over equal voxels: it may
/// be given at one of them, with zeros at the others.
struct Filling {
    let mask: BlockMask
    /// Voxels along each axis.
    let reach: Extent3
    let firstChannel: Int

    /// What is known of the convolution of the map; `nil` unless all channels are filled and the extent stays.
    func convolved(_ geometry: ConvGeometry) -> Filling? {
        let span = geometry.kernel.zipped(with: geometry.dilation) { ($0 - 1) * $1 }
        guard firstChannel == 0, geometry.stride == 1, span == geometry.padding.zipped(with: 2, *) else { return nil }
        return Filling(mask: mask, reach: reach.zipped(with: geometry.padding, +), firstChannel: 0)
    }

    /// What is known where so many other channels stand before these.
    func joined(behind channels: Int) -> Filling {
        Filling(mask: mask, reach: reach, firstChannel: firstChannel + channels)
    }
}
