import Foundation
import Tensors
import Testing
import Volumes
import WeightFiles

@Suite struct NIfTIWritingTests {
    /// pixdim, xyzt_units, and everything from qform_code to the last srow.
    private static let geometryBytes = [76..<108, 123..<124, 252..<328]

    @Test(
        "labels written on an image's grid keep its geometry byte for byte", arguments: [false, true],
        ["nii", "nii.gz"])
    func sameGeometry(isBigEndian: Bool, suffix: String) throws {
        try withFolder { folder in
            let original = HandmadeNIfTI(dimensions: [4, 3, 2], isBigEndian: isBigEndian)
            try write(original.bytes, to: "\(folder)/image.nii")
            let image = try NIfTIFile.read("\(folder)/image.nii")
            let labels = LabelVolume(
                labels: (0..<24).map { Int16($0 % 3) }, geometry: image.geometry, header: image.header)
            try NIfTIFile.write(labels, to: "\(folder)/labels.\(suffix)")
            let again = try NIfTIFile.readLabels("\(folder)/labels.\(suffix)")
            #expect(again.labels == labels.labels)
            #expect(again.geometry == image.geometry)
            if suffix == "nii" {
                let written = try contents(of: "\(folder)/labels.nii")
                for range in Self.geometryBytes { #expect(written[range] == original.bytes[range]) }
                #expect(written.count == 352 + 24)
            }
        }
    }

    @Test("a version 2 header keeps its double precision")
    func versionTwo() throws {
        try withFolder { folder in
            let geometry = Geometry(
                extent: Extent3(depth: 1, height: 1, width: 40_000),
                affine: Affine(
                    x: SIMD4(0.1, 0, 0, 1.0 / 3), y: SIMD4(0, 0.7, 0, 2.0 / 3), z: SIMD4(0, 0, 1.1, -1.0 / 7)))
            let volume = Volume(voxels: [Float](repeating: 2, count: 40_000), geometry: geometry)
            try NIfTIFile.write(volume, to: "\(folder)/long.nii.gz")
            let again = try NIfTIFile.read("\(folder)/long.nii.gz")
            #expect(again.header?.version == 2)
            #expect(again.geometry == geometry)
            try NIfTIFile.write(again, to: "\(folder)/again.nii.gz")
            #expect(try contents(of: "\(folder)/long.nii.gz") == contents(of: "\(folder)/again.nii.gz"))
        }
    }

    @Test("a new header places voxels by sform and qform alike", arguments: [1.0, -1.0])
    func newHeader(handedness: Double) throws {
        let (c, s) = (cos(0.4), sin(0.4))
        let affine = Affine(
            x: SIMD4(handedness * 0.8 * c, -1.2 * s, 0, 10), y: SIMD4(handedness * 0.8 * s, 1.2 * c, 0, -20),
            z: SIMD4(0, 0, 3, 30))
        let geometry = Geometry(extent: Extent3(depth: 2, height: 3, width: 4), affine: affine)
        try withFolder { folder in
            let volume = Volume(voxels: (0..<24).map { Float($0) }, geometry: geometry)
            try NIfTIFile.write(volume, to: "\(folder)/a.nii")
            var bytes = try contents(of: "\(folder)/a.nii")
            let sform = try NIfTIFile.read("\(folder)/a.nii")
            #expect(sform.header?.affineSource == .sform)
            #expect(sform.geometry.matches(geometry, tolerance: 1e-6))
            bytes.replaceSubrange(254..<256, with: [0, 0])
            try write(bytes, to: "\(folder)/q.nii")
            let qform = try NIfTIFile.read("\(folder)/q.nii")
            #expect(qform.header?.affineSource == .qform)
            #expect(qform.geometry.matches(geometry, tolerance: 1e-5))
        }
    }

    @Test("a volume that left its file's grid does not keep the header")
    func changedGrid() throws {
        try withFolder { folder in
            try write(HandmadeNIfTI(dimensions: [4, 3, 2]).bytes, to: "\(folder)/a.nii")
            var volume = try NIfTIFile.read("\(folder)/a.nii")
            volume.geometry = volume.geometry.cropped(to: VoxelBox(depth: 0..<1, height: 0..<3, width: 1..<3))
            volume.voxels = [1, 2, 3, 4, 5, 6]
            try NIfTIFile.write(volume, to: "\(folder)/b.nii")
            let again = try NIfTIFile.read("\(folder)/b.nii")
            #expect(again.geometry.matches(volume.geometry, tolerance: 1e-5))
            #expect(again.voxels == volume.voxels)
        }
    }

    @Test("labels take 8 bits where they fit")
    func labelSizes() throws {
        try withFolder { folder in
            let geometry = Geometry(extent: 2, spacingMM: [1, 1, 1])
            let values: [(labels: [Int16], type: NIfTIDataType)] = [
                ([0, 255, 1, 2, 3, 4, 5, 6], .uint8), ([0, 256, 1, 2, 3, 4, 5, 6], .int16),
                ([-1, 0, 0, 0, 0, 0, 0, 1], .int16),
            ]
            for (labels, type) in values {
                try NIfTIFile.write(LabelVolume(labels: labels, geometry: geometry), to: "\(folder)/l.nii.gz")
                let again = try NIfTIFile.readLabels("\(folder)/l.nii.gz")
                #expect(again.labels == labels)
                #expect(again.header?.dataType == type)
            }
        }
    }

    @Test("nothing is left of a file that cannot be written")
    func failures() throws {
        try withFolder { folder in
            let labels = LabelVolume(
                labels: [0, 1, 2, 3, 4, 5, 6, 7], geometry: Geometry(extent: 2, spacingMM: [1, 1, 1]))
            #expect(throws: NIfTIError.self) { try NIfTIFile.write(labels, to: "\(folder)/labels.png") }
            #expect(throws: FileError.self) {
                try NIfTIFile.write(labels, to: "\(folder)/absent/labels.nii")
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left == [])
        }
    }

    @Test("a stored header survives as JSON, and a damaged one is refused")
    func codable() throws {
        try withFolder { folder in
            try write(HandmadeNIfTI(dimensions: [4, 3, 2]).bytes, to: "\(folder)/a.nii")
            let header = try NIfTIFile.readHeader("\(folder)/a.nii")
            let json = try JSONEncoder().encode(header)
            #expect(try JSONDecoder().decode(NIfTIHeader.self, from: json) == header)
            let empty = try JSONEncoder().encode(Data())
            #expect(throws: NIfTIError.self) { try JSONDecoder().decode(NIfTIHeader.self, from: empty) }
        }
    }
}
