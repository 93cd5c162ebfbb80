import Foundation
import Networks
import Tensors

/// What whoever takes up pre-trained weights must know: which network they belong to, and what it was shown.
public struct TransferCard: Hashable, Sendable {
    /// Numbers of a channel's intensities that a normalization by fixed numbers works with.
    public struct Intensities: Codable, Hashable, Sendable {
        /// Mean and standard deviation in the foreground of all images.
        public var mean, deviation: Double
        /// The limits that intensities were clipped to.
        public var lower, upper: Double

        /// The numbers of a channel.
        public init(mean: Double, deviation: Double, lower: Double, upper: Double) {
            (self.mean, self.deviation, self.lower, self.upper) = (mean, deviation, lower, upper)
        }
    }

    /// The network.
    public var architecture: NetworkPlan
    /// The method that made the weights, such as `s3d`, or `segmentation`.
    public var method: String
    /// The patches that the network saw, in voxels.
    public var patch: Extent3
    /// The size of a voxel along depth, height and width.
    public var spacingMM: [Double]
    /// How intensities were normalized, per channel, such as `z_score`.
    public var normalization: [String]
    /// The numbers of the normalization, per channel, for schemes that have some, such as `ct`; else empty.
    public var intensities: [Intensities]
    /// The modules that make sense in another network.
    public var transferable: [String]

    /// A card.
    public init(
        architecture: NetworkPlan, method: String, patch: Extent3, spacingMM: [Double], normalization: [String],
        intensities: [Intensities] = [], transferable: [String] = ["encoder"]
    ) {
        (self.architecture, self.method, self.patch) = (architecture, method, patch)
        self.intensities = intensities
        (self.spacingMM, self.normalization, self.transferable) = (spacingMM, normalization, transferable)
    }

    /// The card as strings of a safetensors file: numbers and lists are JSON.
    public var metadata: [String: String] {
        var metadata = [
            "format": "pt", "architecture": Self.json(architecture), "method": method,
            "patch": Self.json(patch.dimensions), "spacing_mm": Self.json(spacingMM),
            "normalization": Self.json(normalization), "transferable": Self.json(transferable),
        ]
        if !intensities.isEmpty { metadata["intensities"] = Self.json(intensities) }
        return metadata
    }

    /// The card of a weights file, or `nil` if it has none or an incomplete one.
    public init?(metadata: [String: String]) {
        func value<Value: Decodable>(_ key: String) -> Value? {
            metadata[key].flatMap { try? JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
        }
        guard let architecture: NetworkPlan = value("architecture"), let method = metadata["method"],
            let patch: [Int] = value("patch"), patch.count == 3, let spacing: [Double] = value("spacing_mm"),
            let normalization: [String] = value("normalization"), let transferable: [String] = value("transferable")
        else { return nil }
        self.init(
            architecture: architecture, method: method, patch: Extent3(dimensions: patch), spacingMM: spacing,
            normalization: normalization, intensities: value("intensities") ?? [], transferable: transferable)
    }

    private static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { fatalError("\(value) cannot be written as JSON") }
        return String(decoding: data, as: UTF8.self)
    }
}
