import Foundation
import Tensors
import Testing
import Volumes

@Suite struct PreprocessingTests {
    private let cpu = CPU(threads: 2)

    /// An oblique, anisotropic image with an empty border and two labelled balls, as read from a file.
    private func oblique(in folder: String) throws -> (image: Volume, labels: LabelVolume) {
        try write(HandmadeNIfTI(dimensions: [30, 26, 12]).bytes, to: "\(folder)/image.nii")
        var image = try NIfTIFile.read("\(folder)/image.nii")
        var labels = [Int16](repeating: 0, count: image.extent.volume)
        let spacing = image.spacingMM
        for d in 0..<12 {
            for h in 0..<26 {
                for w in 0..<30 {
                    let index = (d * 26 + h) * 30 + w
                    let isBorder = d < 1 || d > 10 || h < 3 || h > 23 || w < 2 || w > 26
                    image.voxels[index] = isBorder ? 0 : 100 + Float(index % 7)
                    func distance(_ center: [Double]) -> Double {
                        let offset = zip(zip([Double(d), Double(h), Double(w)], center), spacing).map {
                            ($0.0 - $0.1) * $1
                        }
                        return offset.reduce(0) { $0 + $1 * $1 }.squareRoot()
                    }
                    if distance([5, 13, 10]) < 6 { labels[index] = 1 }
                    if distance([7, 12, 20]) < 5 { labels[index] = 2 }
                }
            }
        }
        return (image, LabelVolume(labels: labels, geometry: image.geometry, header: image.header))
    }

    private func oneHot(_ labels: [Int16], classes: Int) -> [Float] {
        (0..<classes).flatMap { label in labels.map { max($0, 0) == label ? 5 : -5 } }
    }

    @Test(
        "at the file's own spacing, labels come back exactly through any order of axes",
        arguments: PreprocessingStepsTests.orders)
    func exactReturn(order: AxisOrder) throws {
        try withFolder { folder in
            let (image, labels) = try oblique(in: folder)
            let preprocessing = Preprocessing(
                spacingMM: order(image.spacingMM), normalization: [.zScore(insideOnly: true)], axisOrder: order)
            let prepared = try preprocessing(image, labels: labels, on: cpu)
            #expect(prepared.extent == order(Extent3(depth: 10, height: 21, width: 25)))
            let restored = prepared.record.restored(
                logits: oneHot(try #require(prepared.labels), classes: 3), on: cpu)
            #expect(restored.labels == labels.labels)
            #expect(restored.geometry == image.geometry)
        }
    }

    @Test(
        "at another spacing, predictions lie on the file's own grid, byte for byte, and overlap the labels",
        arguments: [[1.0, 1, 1], [2, 1.5, 0.7], [4, 2, 2]])
    func otherSpacing(spacing: [Double]) throws {
        try withFolder { folder in
            let (image, labels) = try oblique(in: folder)
            let preprocessing = Preprocessing(
                spacingMM: spacing, normalization: [.zScore(insideOnly: false)], axisOrder: [1, 0, 2])
            let prepared = try preprocessing(image, labels: labels, on: cpu)
            let expected = zip([21.0, 10, 25], zip([1, 0, 2].map { image.spacingMM[$0] }, spacing))
            #expect(prepared.extent.dimensions == expected.map { Int(($1.0 / $1.1 * $0).rounded(.toNearestOrEven)) })
            let json = try JSONEncoder().encode(prepared.record)
            let record = try JSONDecoder().decode(PreprocessingRecord.self, from: json)
            #expect(record == prepared.record)
            let restored = record.restored(logits: oneHot(try #require(prepared.labels), classes: 3), on: cpu)
            for label in [Int16(1), 2] {
                let both = zip(restored.labels, labels.labels).count { $0 == label && $1 == label }
                let sum = restored.labels.count { $0 == label } + labels.labels.count { $0 == label }
                #expect(2 * Double(both) / Double(sum) > 0.85)
            }
            try NIfTIFile.write(restored, to: "\(folder)/prediction.nii")
            let (written, original) = (
                try contents(of: "\(folder)/prediction.nii"), try contents(of: "\(folder)/image.nii")
            )
            #expect(written[40..<56] == original[40..<56])
            for range in [76..<108, 123..<124, 252..<328] { #expect(written[range] == original[range]) }
        }
    }

    @Test("voxels outside the body are marked, and an axis may keep its spacing")
    func outside() throws {
        let geometry = Geometry(extent: Extent3(depth: 4, height: 6, width: 6), spacingMM: [8, 1, 1])
        var voxels = [Float](repeating: 0, count: 144)
        for index in voxels.indices where index % 6 > index / 6 % 6 { voxels[index] = 5 }
        let labels = LabelVolume(labels: voxels.indices.map { $0 == 0 ? 2 : 0 }, geometry: geometry)
        let prepared = try Preprocessing(spacingMM: [nil, 1, 1], normalization: [.none])(
            Volume(voxels: voxels, geometry: geometry), labels: labels, on: cpu)
        #expect(prepared.extent == Extent3(depth: 4, height: 5, width: 5))
        #expect(prepared.spacingMM == [8, 1, 1])
        let marked = try #require(prepared.labels)
        for index in marked.indices { #expect(marked[index] == (index % 5 >= index / 5 % 5 ? 0 : -1)) }
    }

    @Test("ties between classes go to the first")
    func ties() throws {
        let geometry = Geometry(extent: 2, spacingMM: [1, 1, 1])
        let record = PreprocessingRecord(
            geometry: geometry, header: nil, axisOrder: [0, 1, 2], box: VoxelBox(whole: 2), extent: 2,
            spacingMM: [1, 1, 1])
        let logits: [Float] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 2, 1, 1, 0, 0, 0, 1, 0, 2, 3, 0, 0, 0, 0]
        #expect(record.restored(logits: logits, on: cpu).labels == [0, 0, 1, 2, 0, 0, 0, 0])
    }

    @Test("unsuitable images are refused")
    func errors() {
        let geometry = Geometry(extent: 2, spacingMM: [1, 1, 1])
        let volume = Volume(voxels: [1, 2, .nan, 4, 5, 6, .infinity, 8], channelNames: ["CT"], geometry: geometry)
        #expect(throws: PreprocessingError.notFinite(channel: "CT", count: 2)) {
            try Preprocessing(spacingMM: [1, 1, 1], normalization: [.none])(volume, on: cpu)
        }
        #expect(throws: PreprocessingError.wrongChannelCount(expected: 2, found: 1)) {
            try Preprocessing(spacingMM: [1, 1, 1], normalization: [.none, .rgb])(volume, on: cpu)
        }
        let other = LabelVolume(
            labels: [Int16](repeating: 0, count: 27), geometry: Geometry(extent: 3, spacingMM: [1, 1, 1]))
        let sound = Volume(voxels: [1, 2, 3, 4, 5, 6, 7, 8], geometry: geometry)
        #expect(throws: PreprocessingError.mismatchedLabels(image: 2, labels: 3)) {
            try Preprocessing(spacingMM: [1, 1, 1], normalization: [.none])(sound, labels: other, on: cpu)
        }
    }
}
