import Foundation
import Tensors
import Training
import Volumes

/// A random affine and elastic map of a patch onto itself.
public struct RandomMotion: Hashable, Sendable {
    /// The largest angle about each axis.
    public var rotationDegrees: Double
    /// Factors along each axis.
    public var scaling: ClosedRange<Double>
    /// The largest shearing angle.
    public var shearDegrees: Double
    /// The largest shift, as a share of the patch.
    public var shift: Double
    /// The largest displacement of the elastic part, in voxels, before smoothing.
    public var elasticVoxels: Double
    /// The width of the Gaussian that smooths it, in voxels.
    public var elasticSigma: ClosedRange<Double>

    /// Reads `rotation_degrees`, `scaling`, `shear_degrees`, `shift`, `elastic_voxels` and `elastic_sigma`.
    ///
    /// The defaults are the public code's; its translation of a tenth of the patch is effectively half of that.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection) throws {
        rotationDegrees = try section.double("rotation_degrees", default: 20, in: 0...180)
        scaling = try section.interval("scaling", default: 0.75...1.25, in: 0.1...10)
        shearDegrees = try section.double("shear_degrees", default: 10, in: 0...45)
        shift = try section.double("shift", default: 0.05, in: 0...0.5)
        elasticVoxels = try section.double("elastic_voxels", default: 512, in: 0...1e5)
        elasticSigma = try section.interval("elastic_sigma", default: 10...13, in: 0.1...100)
    }

    /// Where each voxel of a patch looks.
    func places(in extent: Extent3, draws: Draws) -> PlaceMap {
        var draws = draws
        func symmetric(_ limit: Double) -> Double { limit * (2 * draws.uniform() - 1) }
        let angles = (0..<3).map { _ in symmetric(rotationDegrees) * .pi / 180 }
        let factors = (0..<3).map { _ in
            scaling.lowerBound + draws.uniform() * (scaling.upperBound - scaling.lowerBound)
        }
        let shears = (0..<6).map { _ in tan(symmetric(shearDegrees) * .pi / 180) }
        let shifts = extent.dimensions.map { symmetric(shift) * Double($0) }
        let matrix = AffineMatrix(angles: angles, factors: factors, shears: shears)
        let sigma = elasticSigma.lowerBound + draws.uniform() * (elasticSigma.upperBound - elasticSigma.lowerBound)
        let strength = elasticVoxels * draws.uniform()
        let fields = (0..<3).map { _ in
            smoothed((0..<extent.volume).map { _ in Float(strength * (2 * draws.uniform() - 1)) }, extent, sigma)
        }
        let middle = extent.dimensions.map { Double($0 - 1) / 2 }
        var places = [Float](repeating: 0, count: 3 * extent.volume)
        for voxel in 0..<extent.volume {
            let place = [
                voxel / (extent.height * extent.width), voxel / extent.width % extent.height, voxel % extent.width,
            ]
            let centred = (0..<3).map { Double(place[$0]) - middle[$0] }
            for axis in 0..<3 {
                let affine = (0..<3).reduce(middle[axis] + shifts[axis]) { $0 + matrix.rows[axis][$1] * centred[$1] }
                places[3 * voxel + axis] = Float(affine) + fields[axis][voxel]
            }
        }
        return PlaceMap(extent: extent, places: places)
    }

    /// A Gaussian filter along each axis, three standard deviations to both sides, the field zero beyond its faces.
    private func smoothed(_ field: [Float], _ extent: Extent3, _ sigma: Double) -> [Float] {
        let radius = Int((3 * sigma).rounded(.up))
        let raw = (-radius...radius).map { exp(-0.5 * Double($0 * $0) / (sigma * sigma)) }
        let weights = raw.map { Float($0 / raw.reduce(0, +)) }
        var field = field
        for axis in 0..<3 {
            let sizes = extent.dimensions
            let (count, inner) = (sizes[axis], sizes[(axis + 1)...].reduce(1, *))
            var result = [Float](repeating: 0, count: field.count)
            for outer in 0..<field.count / (count * inner) {
                for index in 0..<count {
                    for source in max(0, index - radius)...min(count - 1, index + radius) {
                        let weight = weights[source - index + radius]
                        let (target, from) = ((outer * count + index) * inner, (outer * count + source) * inner)
                        for i in 0..<inner { result[target + i] += weight * field[from + i] }
                    }
                }
            }
            field = result
        }
        return field
    }
}

/// Where each voxel of a patch looks in another patch of the same size.
struct PlaceMap {
    let extent: Extent3
    /// `[D, H, W, 3]`: depth, height, width in voxels.
    let places: [Float]

    /// The patch, looked up with straight lines between voxels; 0 beyond its faces.
    func moved(_ patch: Patch) -> Patch {
        let cpu = CPU(threads: 1)
        let map = Tensor(channelsFirst: patch.image, samples: 1, channels: patch.channels, extent: extent, on: cpu)
        let grid = Tensor(places, shape: Shape(samples: 1, extent: extent, channels: 3), on: cpu)
        return Patch(
            image: sampleLinearly(map, at: grid).channelsFirst, channels: patch.channels, labels: nil, extent: extent)
    }
}

/// The matrix `Shear Scale Rz Ry Rx` of (depth, height, width).
struct AffineMatrix {
    let rows: [[Double]]

    /// - Parameters:
    ///   - angles: about depth, height and width, in radians.
    ///   - shears: the off-diagonal elements of the shear, row by row.
    init(angles: [Double], factors: [Double], shears: [Double]) {
        let shear = [[1, shears[0], shears[1]], [shears[2], 1, shears[3]], [shears[4], shears[5], 1]]
        let scale = (0..<3).map { row in (0..<3).map { $0 == row ? factors[row] : 0 } }
        let turns = (0..<3).map { Self.turn(about: $0, by: angles[$0]) }
        rows = [scale, turns[2], turns[1], turns[0]].reduce(shear, Self.product)
    }

    private static func turn(about axis: Int, by angle: Double) -> [[Double]] {
        let (first, second) = ((axis + 1) % 3, (axis + 2) % 3)
        var matrix = (0..<3).map { row in (0..<3).map { $0 == row ? 1.0 : 0 } }
        (matrix[first][first], matrix[second][second]) = (cos(angle), cos(angle))
        (matrix[first][second], matrix[second][first]) = (-sin(angle), sin(angle))
        return matrix
    }

    private static func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
        (0..<3).map { row in (0..<3).map { column in (0..<3).reduce(0) { $0 + a[row][$1] * b[$1][column] } } }
    }
}
