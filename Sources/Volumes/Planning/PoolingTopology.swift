import Foundation
import Tensors

/// Which axes a U-Net pools on its way down, and how far its kernels reach, for a patch and its spacing.
///
/// An axis is pooled while it is long enough and its voxels are not much coarser than the finest ones; a kernel has
/// size 1 along an axis until that axis' voxels are about as fine as the others. After nnU-Net's
/// `get_pool_and_conv_props` (Isensee et al., Nature Methods 2021). Works for two axes as well as for three.
struct PoolingTopology: Hashable {
    /// Per stage and axis: 1 or 2, the stride of the step into the stage. The first stage's are all 1.
    let strides: [[Int]]
    /// Per stage and axis: 1 or 3.
    let kernels: [[Int]]
    /// Per axis: the patch, enlarged so that every pooling divides it evenly.
    let patch: [Int]

    /// Per axis: the product of the strides, which divides the patch.
    var divisors: [Int] { patch.indices.map { axis in strides.reduce(1) { $0 * $1[axis] } } }

    /// - Parameters:
    ///   - spacingMM: the size of a voxel per axis.
    ///   - patch: the size wanted per axis, in voxels. A median of shapes may end in one half.
    ///   - minimumEdge: the least size of a feature map along a pooled axis.
    init(spacingMM: [Double], patch: [Double], minimumEdge: Double = 4) {
        let axes = patch.indices
        var (spacing, size) = (spacingMM, patch)
        var kernel = axes.map { _ in 1 }
        var (strides, kernels) = ([axes.map { _ in 1 }], [[Int]]())

        while true {
            let longEnough = axes.filter { size[$0] >= 2 * minimumEdge }
            guard let finest = longEnough.map({ spacing[$0] }).min() else { break }
            let pooled = longEnough.filter { spacing[$0] / finest < 2 }
            if pooled.count == 1 && size[pooled[0]] < 3 * minimumEdge { break }

            let finestOfAll = spacing.min() ?? finest
            for axis in axes where spacing[axis] / finestOfAll < 2 { kernel[axis] = 3 }
            kernels.append(kernel)
            strides.append(axes.map { pooled.contains($0) ? 2 : 1 })
            for axis in pooled {
                spacing[axis] *= 2
                size[axis] = (size[axis] / 2).rounded(.up)
            }
        }
        kernels.append(axes.map { _ in 3 })
        (self.strides, self.kernels) = (strides, kernels)
        self.patch = axes.map { axis in
            let divisor = strides.reduce(1) { $0 * $1[axis] }
            return Int((patch[axis] / Double(divisor)).rounded(.up)) * divisor
        }
    }
}
