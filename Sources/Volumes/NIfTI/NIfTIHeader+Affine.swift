import CNIfTI
import Tensors

extension NIfTIHeader {
    /// The affine in millimetres: from the sform if its code is positive, else from the qform, else from the voxel size.
    static func affine(
        _ fields: NIfTIFields, dimensions: [Int], path: String
    ) throws -> (Affine, AffineSource) {
        let scale = millimetres(perUnitOf: fields)
        if fields.integer(.sformCode) > 0 {
            let rows = (0..<3).map { row in
                SIMD4((0..<4).map { fields.number(.sform, 4 * row + $0) * scale })
            }
            let affine = Affine(x: rows[0], y: rows[1], z: rows[2])
            guard affine.isInvertible else {
                throw NIfTIError(
                    .badAffine, path: path,
                    "the sform matrix \(affine) is singular or not finite; repair it, or set sform_code to 0 to use the qform"
                )
            }
            return (affine, .sform)
        }
        let spacing = try spacing(fields, dimensions: dimensions, path: path)
        if fields.integer(.qformCode) > 0 {
            return (try qform(fields, spacing: spacing, scale: scale, path: path), .qform)
        }
        return (Affine(spacingMM: spacing * scale), .pixdim)
    }

    /// Sets the transform of a header to `affine`: as the sform (in single precision in version 1), and as the qform too if
    /// its axes are perpendicular. Units are millimetres.
    static func set(_ affine: Affine, in fields: inout NIfTIFields) {
        let spacing = affine.spacingMM
        let scannerAnatomical = 1.0
        for axis in 0..<3 {
            fields.set(.voxelSize, axis + 1, to: spacing[axis])
            for (row, values) in [affine.x, affine.y, affine.z].enumerated() {
                fields.set(.sform, 4 * row + axis, to: values[axis])
                fields.set(.sform, 4 * row + 3, to: values.w)
            }
        }
        for axis in 4..<8 { fields.set(.voxelSize, axis, to: 1) }
        fields.set(.sformCode, to: scannerAnatomical)
        fields.set(.units, to: 2)  // millimetres

        // dmat44 as libnifti wants it; it only computes here.
        var matrix = nifti_dmat44()
        withUnsafeMutableBytes(of: &matrix) { bytes in
            let elements = bytes.bindMemory(to: Double.self)
            for (row, values) in [affine.x, affine.y, affine.z, SIMD4(0, 0, 0, 1)].enumerated() {
                for column in 0..<4 { elements[4 * row + column] = values[column] }
            }
        }
        var (b, c, d, handedness) = (0.0, 0.0, 0.0, 1.0)
        nifti_dmat44_to_quatern(matrix, &b, &c, &d, nil, nil, nil, nil, nil, nil, &handedness)
        fields.set(.voxelSize, 0, to: handedness < 0 ? -1 : 1)
        for (index, value) in [b, c, d].enumerated() { fields.set(.quaternion, index, to: value) }
        for axis in 0..<3 { fields.set(.quaternionOffset, axis, to: affine.originMM[axis]) }
        fields.set(.qformCode, to: hasPerpendicularAxes(affine) ? scannerAnatomical : 0)
    }

    private static func qform(
        _ fields: NIfTIFields, spacing: SIMD3<Double>, scale: Double, path: String
    ) throws -> Affine {
        let quaternion = SIMD3((0..<3).map { fields.number(.quaternion, $0) })
        let offset = SIMD3((0..<3).map { fields.number(.quaternionOffset, $0) })
        // Files store single precision: a sum slightly above 1 is a half turn, and libnifti normalizes it.
        let squared = (quaternion * quaternion).sum()
        guard squared <= 1.0001, (offset * 0) == .zero else {
            throw NIfTIError(
                .badAffine, path: path,
                "the qform is no rotation (b^2 + c^2 + d^2 = \(squared)) or has no finite offset; repair it or set an sform"
            )
        }
        let handedness: Double = fields.number(.voxelSize, 0) < 0 ? -1 : 1
        var matrix = nifti_quatern_to_dmat44(
            quaternion.x, quaternion.y, quaternion.z, offset.x, offset.y, offset.z, spacing.x, spacing.y, spacing.z,
            handedness)
        let rows = withUnsafeBytes(of: &matrix) { bytes in
            let elements = bytes.bindMemory(to: Double.self)
            return (0..<3).map { row in SIMD4((0..<4).map { elements[4 * row + $0] }) }
        }
        return Affine(x: rows[0] * scale, y: rows[1] * scale, z: rows[2] * scale)
    }

    /// The voxel size in the header's unit. An axis of one voxel may leave its size 0, which then counts as 1.
    private static func spacing(
        _ fields: NIfTIFields, dimensions: [Int], path: String
    ) throws -> SIMD3<Double> {
        var spacing = SIMD3((0..<3).map { fields.number(.voxelSize, $0 + 1) })
        for axis in 0..<3 where dimensions[axis] == 1 && spacing[axis] == 0 { spacing[axis] = 1 }
        guard (0..<3).allSatisfy({ spacing[$0].isFinite && spacing[$0] > 0 }) else {
            throw NIfTIError(
                .badSpacing, path: path,
                "the voxel size is \(spacing.x) x \(spacing.y) x \(spacing.z); set pixdim to positive millimetres")
        }
        return spacing
    }

    /// Voxel sizes in millimetres that a medical image can have. Others are damaged headers or wrong units, and would
    /// ask for grids of any size.
    static let plausibleSpacingMM = 1e-4...1e4

    /// 1 unless the header measures in metres or micrometres.
    private static func millimetres(perUnitOf fields: NIfTIFields) -> Double {
        switch fields.integer(.units) & 7 {
        case 1: 1000
        case 3: 0.001
        default: 1
        }
    }

    private static func hasPerpendicularAxes(_ affine: Affine) -> Bool {
        let axes = (0..<3).map { affine.step(alongFileAxis: $0) / affine.spacingMM[$0] }
        let cosines = [(axes[0] * axes[1]).sum(), (axes[0] * axes[2]).sum(), (axes[1] * axes[2]).sum()]
        return cosines.allSatisfy { abs($0) < 1e-4 }
    }
}
