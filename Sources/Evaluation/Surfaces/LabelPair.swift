import Tensors
import Volumes

/// The label maps of a prediction and its reference on one grid, with the boxes that their labels occupy: where masks of
/// structures are cut out.
struct LabelPair {
    private let prediction: [Int16]
    private let reference: [Int16]
    private let extent: Extent3
    private let ignoredLabel: Int?
    /// The smallest box around the voxels that have a label in the prediction or the reference.
    private let boxes: [Int: VoxelBox]

    init(prediction: [Int16], reference: [Int16], extent: Extent3, ignoredLabel: Int?, on cpu: CPU) {
        check(
            prediction.count == extent.volume && reference.count == extent.volume,
            "\(prediction.count) predicted and \(reference.count) reference labels for \(extent) voxels")
        (self.prediction, self.reference, self.extent) = (prediction, reference, extent)
        self.ignoredLabel = ignoredLabel
        boxes = [prediction, reference].reduce(into: [:]) { boxes, labels in
            boxes.merge(Self.boxes(of: labels, extent, on: cpu)) { $0.joined(with: $1) }
        }
    }

    /// The masks of a structure in prediction and reference, both cut to the smallest box around both, or nil if neither
    /// has a voxel. Voxels with the ignored label in the reference are in neither.
    func masks(of structure: Structure, on cpu: CPU) -> (prediction: BinaryMask, reference: BinaryMask)? {
        let found = structure.labels.compactMap { boxes[$0] }
        guard let first = found.first else { return nil }
        let box = found.dropFirst().reduce(first) { $0.joined(with: $1) }
        let wanted = Set(structure.labels.map { Int16(clamping: $0) })
        let ignored = ignoredLabel.map { Int16(clamping: $0) }
        func mask(_ labels: [Int16]) -> BinaryMask {
            BinaryMask(extent: box.extent, on: cpu) { row, depth, height in
                let start =
                    ((box.depth.lowerBound + depth) * extent.height + box.height.lowerBound + height) * extent.width
                    + box.width.lowerBound
                if wanted.count == 1, let label = wanted.first {
                    for column in 0..<row.count { row[column] = labels[start + column] == label ? 1 : 0 }
                } else {
                    for column in 0..<row.count { row[column] = wanted.contains(labels[start + column]) ? 1 : 0 }
                }
                guard let ignored else { return }
                for column in 0..<row.count where reference[start + column] == ignored { row[column] = 0 }
            }
        }
        return (mask(prediction), mask(reference))
    }

    /// The box of each label but the background.
    private static func boxes(of labels: [Int16], _ extent: Extent3, on cpu: CPU) -> [Int: VoxelBox] {
        let empty: [Int16: VoxelBox] = [:]
        var slices = Array(repeating: empty, count: extent.depth)
        slices.withUnsafeMutableBufferPointer { slices in
            nonisolated(unsafe) let slices = slices
            cpu.forEach(extent.depth) { depth in
                labels.withUnsafeBufferPointer { labels in
                    var found: [Int16: VoxelBox] = [:]
                    for height in 0..<extent.height {
                        let row = labels.baseAddress! + (depth * extent.height + height) * extent.width
                        var column = 0
                        while column < extent.width {
                            let label = row[column]
                            let start = column
                            while column < extent.width, row[column] == label { column += 1 }
                            guard label != 0 else { continue }
                            let run = VoxelBox(
                                depth: depth..<depth + 1, height: height..<height + 1, width: start..<column)
                            found[label] = found[label]?.joined(with: run) ?? run
                        }
                    }
                    slices[depth] = found
                }
            }
        }
        return slices.reduce(into: [:]) { boxes, slice in
            for (label, box) in slice { boxes[Int(label)] = boxes[Int(label)]?.joined(with: box) ?? box }
        }
    }
}

extension VoxelBox {
    /// The smallest box around both.
    fileprivate func joined(with other: VoxelBox) -> VoxelBox {
        func join(_ first: Range<Int>, _ second: Range<Int>) -> Range<Int> {
            min(first.lowerBound, second.lowerBound)..<max(first.upperBound, second.upperBound)
        }
        return VoxelBox(
            depth: join(depth, other.depth), height: join(height, other.height), width: join(width, other.width))
    }
}
