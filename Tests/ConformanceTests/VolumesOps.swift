import Tensors
import Volumes
import WeightFiles

/// Operations of the oracle's sets that the room `Volumes` answers.
enum VolumesOps {
    static let operations: [String: OracleOperation] = [
        "nifti": readNIfTI,
        "resample": resample,
        "new_shape": newShape,
        "z_score": zScore,
        "ct_normalize": ctNormalize,
        "crop_to_nonzero": cropToNonzero,
    ]

    /// A file that was read although it is broken, or refused for the wrong reason.
    struct WrongVerdict: Error, CustomStringConvertible {
        let description: String
    }

    @Sendable
    private static func readNIfTI(_ oracle: OracleCase) throws -> OracleResults {
        let expect = try oracle.params.string("expect")
        let volume: Volume
        do {
            volume = try NIfTIFile.read(oracle.path())
        } catch let error as NIfTIError {
            if expect == "ok" { throw error }
            if expect == "error", try oracle.params.string("error") != error.kind.rawValue {
                throw WrongVerdict(
                    description: "expected \(try oracle.params.string("error")), got \(error.kind): \(error)")
            }
            // Refused, as allowed: what was expected of readers that accept the file is vacuously right.
            return OracleResults(outputs: try oracle.outputs.mapValues(oracle.file.tensor))
        }
        if expect == "error" { throw WrongVerdict(description: "read although it should be refused") }
        let extent = volume.extent
        let sizes = [extent.width, extent.height, extent.depth] + (volume.channels > 1 ? [volume.channels] : [])
        var data: [Double] = []
        for i in 0..<extent.width {
            for j in 0..<extent.height {
                for k in 0..<extent.depth {
                    for channel in 0..<volume.channels {
                        let index = ((channel * extent.depth + k) * extent.height + j) * extent.width + i
                        data.append(Double(volume.voxels[index]))
                    }
                }
            }
        }
        let rows = [volume.affine.x, volume.affine.y, volume.affine.z, SIMD4(0, 0, 0, 1)]
        return OracleResults(outputs: [
            "data": StoredTensor(data, shape: sizes),
            "affine": StoredTensor(rows.flatMap { row in (0..<4).map { row[$0] } }, shape: [4, 4]),
            "spacing": StoredTensor(Array(volume.spacingMM.reversed()), shape: [3]),
        ])
    }

    @Sendable
    private static func resample(_ oracle: OracleCase) throws -> OracleResults {
        let params = oracle.params
        let (old, new) = (try params.doubles("old_spacing"), try params.doubles("new_spacing"))
        let input = try oracle.input("input")
        let extent = Extent3(dimensions: Array(input.shape.suffix(3)))
        let resized = Extent3(dimensions: try params.ints("new_shape"))
        let separation: Resampling.Separation =
            params.has("force_separate_z") ? try params.bool("force_separate_z") ? .always : .never : .automatic
        let shape = [input.shape[0]] + resized.dimensions
        if try params.bool("labels") {
            let labels = Resampling.labels(
                try input.integers().map { Int16($0) }, extent: extent, to: resized, oldSpacingMM: old,
                newSpacingMM: new, separation: separation, on: CPU())
            let certain = try oracle.expectedOutput("certain")
            let expected = try oracle.expectedOutput("output").integers()
            let judged = zip(zip(labels, expected), try certain.integers()).map { $1 == 1 ? Int32($0.0) : Int32($0.1) }
            return OracleResults(outputs: ["output": StoredTensor(judged, shape: shape), "certain": certain])
        }
        guard let interpolation = Interpolation(rawValue: try params.int("order")),
            let alongAxis = Interpolation(rawValue: try params.int("order_z"))
        else { throw WrongVerdict(description: "unknown order") }
        let resampling = Resampling(interpolation, alongSeparateAxis: alongAxis, separation: separation)
        let expectedAxis = params.has("separate_axis") ? try params.int("separate_axis") : nil
        guard resampling.separateAxis(oldSpacingMM: old, newSpacingMM: new) == expectedAxis else {
            throw WrongVerdict(description: "separate axis, expected \(String(describing: expectedAxis))")
        }
        let output = resampling(
            try input.floats(), extent: extent, to: resized, oldSpacingMM: old, newSpacingMM: new, on: CPU())
        return OracleResults(outputs: ["output": StoredTensor(output, shape: shape)])
    }

    @Sendable
    private static func newShape(_ oracle: OracleCase) throws -> OracleResults {
        let shapes = try oracle.input("old_shape").integers()
        let (old, new) = (try oracle.input("old_spacing").doubles(), try oracle.input("new_spacing").doubles())
        let resized = (0..<shapes.count / 3).flatMap { row in
            let range = 3 * row..<3 * row + 3
            return Resampling.extent(
                of: Extent3(dimensions: Array(shapes[range])), spacingMM: Array(old[range]), at: Array(new[range])
            ).dimensions
        }
        return OracleResults(outputs: [
            "new_shape": StoredTensor(resized.map { Int32($0) }, shape: [shapes.count / 3, 3])
        ])
    }

    @Sendable
    private static func zScore(_ oracle: OracleCase) throws -> OracleResults {
        let isMasked = try oracle.params.bool("masked")
        let isInside = isMasked ? try oracle.input("region").integers().map { $0 >= 0 } : nil
        return try normalize(oracle, .zScore(insideOnly: isMasked), isInside: isInside)
    }

    @Sendable
    private static func ctNormalize(_ oracle: OracleCase) throws -> OracleResults {
        let params = oracle.params
        let statistics = CTStatistics(
            mean: try params.double("mean"), deviation: try params.double("deviation"),
            lower: try params.double("lower"), upper: try params.double("upper"))
        return try normalize(oracle, .ct(statistics), isInside: nil)
    }

    private static func normalize(
        _ oracle: OracleCase, _ normalization: Normalization, isInside: [Bool]?
    ) throws -> OracleResults {
        let input = try oracle.input("input")
        var voxels = try input.floats()
        voxels.withUnsafeMutableBufferPointer { normalization.apply(to: $0, isInside: isInside, on: CPU()) }
        return OracleResults(outputs: ["output": StoredTensor(voxels, shape: input.shape)])
    }

    @Sendable
    private static func cropToNonzero(_ oracle: OracleCase) throws -> OracleResults {
        let input = try oracle.input("input")
        let extent = Extent3(dimensions: Array(input.shape.suffix(3)))
        let voxels = try input.floats()
        let region = NonzeroRegion(voxels: voxels, extent: extent, on: CPU())
        let outside = Int32(try oracle.params.int("outside_label"))
        let size = region.box.extent.dimensions
        let labels =
            oracle.hasInput("labels")
            ? region.box.cropped(try oracle.input("labels").integers().map { Int32($0) }, from: extent)
            : [Int32](repeating: 0, count: region.isInside.count)
        let marked = zip(labels, region.isInside).map { $0 == 0 && !$1 ? outside : $0 }
        let box = (0..<3).flatMap { [Int32(region.box[$0].lowerBound), Int32(region.box[$0].upperBound)] }
        return OracleResults(outputs: [
            "output": StoredTensor(region.box.cropped(voxels, from: extent), shape: [input.shape[0]] + size),
            "region": StoredTensor(marked, shape: [1] + size),
            "box": StoredTensor(box, shape: [3, 2]),
        ])
    }
}
