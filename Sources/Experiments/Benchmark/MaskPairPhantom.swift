import Foundation
import Tensors
import Volumes
import WeightFiles

/// A large made-up pair of label maps: five organs, and the same bent by some voxels in place of a prediction.
struct MaskPairPhantom {
    /// Voxels along depth, height and width.
    var extent = Extent3(depth: 300, height: 512, width: 512)
    /// The voxel's size along depth, height and width.
    var spacingMM = [1, 0.75, 0.75]
    /// How far voxels are moved at most, in voxels.
    var displacement = 5.0

    /// Writes `prediction.nii.gz` and `reference.nii.gz`.
    func write(to folder: String, on cpu: CPU) throws {
        // The field of view of the phantom varies, so the grid is stretched to the wanted number of voxels.
        let made = Phantom(.organs, spacingMM: [0.6, 0.45, 0.6]).sample(seed: 0, index: 0).labels
        let reference = relabeled { d, h, w in
            made.labels[
                (d * made.extent.depth / extent.depth * made.extent.height + h * made.extent.height / extent.height)
                    * made.extent.width + w * made.extent.width / extent.width]
        }
        func moved(_ position: Int, _ first: Int, _ second: Int, in count: Int) -> Int {
            let shift = displacement * sin(Double(first) / 31) * cos(Double(second) / 23)
            return min(count - 1, max(0, position + Int(shift.rounded())))
        }
        let prediction = relabeled { d, h, w in
            let (depth, height) = (moved(d, h, w, in: extent.depth), moved(h, w, d, in: extent.height))
            let width = moved(w, d, h, in: extent.width)
            return reference[(depth * extent.height + height) * extent.width + width]
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", folder, error)
        }
        let geometry = Geometry(extent: extent, spacingMM: spacingMM)
        for (name, labels) in [("prediction", prediction), ("reference", reference)] {
            try NIfTIFile.write(
                LabelVolume(labels: labels, geometry: geometry), to: "\(folder)/\(name).nii.gz")
        }
    }

    /// Labels by voxel; the sixth organ is left out.
    private func relabeled(_ label: (_ depth: Int, _ height: Int, _ width: Int) -> Int16) -> [Int16] {
        var labels = [Int16](repeating: 0, count: extent.volume)
        var voxel = 0
        for depth in 0..<extent.depth {
            for height in 0..<extent.height {
                for width in 0..<extent.width {
                    let value = label(depth, height, width)
                    labels[voxel] = value <= 5 ? value : 0
                    voxel += 1
                }
            }
        }
        return labels
    }
}
