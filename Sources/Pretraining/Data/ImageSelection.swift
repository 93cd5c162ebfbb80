import Foundation
import Tensors
import Volumes

/// What an image must fulfil to be pre-trained on: small, coarse and tiny images teach little.
public struct ImageSelection: Hashable, Sendable {
    /// The smallest size along any axis, in millimetres.
    public var minFieldOfViewMM: Double
    /// No voxel may be this long or longer, in millimetres.
    public var maxSpacingMM: Double
    /// The smallest file, in kilobytes.
    public var minFileKilobytes: Double

    /// A selection by these limits.
    public init(minFieldOfViewMM: Double, maxSpacingMM: Double, minFileKilobytes: Double) {
        (self.minFieldOfViewMM, self.maxSpacingMM) = (minFieldOfViewMM, maxSpacingMM)
        self.minFileKilobytes = minFileKilobytes
    }

    /// Why an image is left out, in a few words; nil if it is not. Only the header is read.
    public func objection(to path: String) -> String? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let kilobytes = ((attributes?[.size] as? NSNumber)?.doubleValue ?? 0) / 1000
        if kilobytes < minFileKilobytes { return "the file has \(Int(kilobytes)) kB" }
        let geometry: Geometry
        do {
            geometry = try NIfTIFile.readHeader(path).geometry
        } catch {
            return "\(error)"
        }
        let spacing = geometry.spacingMM
        if let coarse = spacing.first(where: { $0 >= maxSpacingMM }) {
            return String(format: "its voxels are %.3g mm long", coarse)
        }
        let sizes = zip(geometry.extent.dimensions, spacing).map { Double($0) * $1 }
        if let small = sizes.first(where: { $0 < minFieldOfViewMM }) {
            return String(format: "it is only %.3g mm wide", small)
        }
        return nil
    }
}
