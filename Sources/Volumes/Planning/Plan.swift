import Foundation
import Tensors
import WeightFiles

/// Everything that is decided about a dataset before training: its grid, its patches, its intensities and its network.
///
/// A plan is data: a JSON file that people can read and edit. All sizes and spacings are in the order of the transposed
/// axes.
public struct Plan: Codable, Hashable, Sendable {
    /// One channel of the input.
    public struct Channel: Codable, Hashable, Sendable {
        /// For example `T1` or `CT`.
        public var name: String
        /// How its intensities are brought to a common scale.
        public var normalization: Normalization

        /// A channel.
        public init(name: String, normalization: Normalization) {
            (self.name, self.normalization) = (name, normalization)
        }
    }

    /// The version of the format that this code writes and the newest that it reads.
    public static let currentFormat = 1

    /// The format's version.
    public var format = Plan.currentFormat
    /// For example `3d_fullres`, `3d_lowres`, `2d` or `fixed`.
    public var name: String
    /// Which axis of the images, as read, becomes depth, height and width.
    public var transpose: AxisOrder
    /// The size of a voxel; nil along an axis that keeps each image's own spacing.
    public var spacingMM: [Double?]
    /// What the network sees at once.
    public var patch: Extent3
    /// Patches per step.
    public var batch: Int
    /// The input's channels.
    public var channels: [Channel]
    /// The classes with background, or the regions: the channels of the logits.
    public var outputChannels: Int
    /// The network.
    public var network: NetworkTopology
    /// Whether the Dice loss sums over the batch before it divides.
    public var batchDice: Bool

    /// A plan of these decisions.
    public init(
        name: String, transpose: AxisOrder, spacingMM: [Double?], patch: Extent3, batch: Int, channels: [Channel],
        outputChannels: Int, network: NetworkTopology, batchDice: Bool
    ) {
        (self.name, self.transpose, self.spacingMM, self.patch) = (name, transpose, spacingMM, patch)
        (self.batch, self.channels, self.outputChannels) = (batch, channels, outputChannels)
        (self.network, self.batchDice) = (network, batchDice)
    }

    /// The fixed plan of the S3D study: the same grid, patch and network for every dataset, every channel z-scored on its
    /// own.
    public static func fixed(
        channelNames: [String], outputChannels: Int, patch: Extent3 = 160, batch: Int = 2,
        network: NetworkTopology = .resEncL, spacingMM: [Double] = [1, 1, 1]
    ) -> Plan {
        Plan(
            name: "fixed", transpose: [0, 1, 2], spacingMM: spacingMM, patch: patch, batch: batch,
            channels: channelNames.map { Channel(name: $0, normalization: .zScore(insideOnly: false)) },
            outputChannels: outputChannels, network: network, batchDice: false)
    }

    /// Whether slices are so thick that rotations stay within them and depth is neither scaled nor pooled early.
    public var isThickSliced: Bool { max(patch.height, patch.width, patch.depth) > 3 * patch.depth }

    /// Reads a plan and checks that its parts fit together.
    /// - Throws: ``PlanError``.
    public init(contentsOf path: String) throws {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw PlanError(path: path, reason: "the file cannot be read", exitCode: ExitStatus.inputOutput)
        }
        do {
            self = try JSONDecoder().decode(Plan.self, from: data)
        } catch let error as DecodingError {
            throw PlanError(path: path, reason: error.placeAndReason)
        }
        try requireSound(path: path)
    }

    /// - Parameter path: where the plan is from, for the error.
    /// - Throws: ``PlanError`` if its parts do not fit together.
    func requireSound(path: String) throws {
        if let complaint { throw PlanError(path: path, reason: complaint) }
    }

    /// The plan as JSON, keys sorted: equal plans give equal bytes.
    public func json() throws -> Data { try JSONEncoder.canonical.encode(self) }

    private var complaint: String? {
        if format > Self.currentFormat {
            return "its format \(format) is newer than this tool knows (\(Self.currentFormat))"
        }
        if spacingMM.count != 3 || !spacingMM.allSatisfy({ $0.map { $0 > 0 && $0.isFinite } ?? true }) {
            return "spacingMM must be three positive lengths or nulls"
        }
        if patch.dimensions.contains(where: { $0 < 1 }) || batch < 1 { return "patch and batch must be at least 1" }
        if patch.dimensions.contains(where: { $0 > 1 << 16 }) || batch > 1 << 16 {
            return "patch and batch must be at most \(1 << 16)"
        }
        if channels.isEmpty || outputChannels < 1 { return "it needs at least one channel and one output" }
        if let complaint = network.complaint { return complaint }
        let divisors = network.divisors
        for axis in 0..<3 where patch[axis] % divisors[axis] != 0 {
            return "the patch \(patch) is no multiple of the network's strides \(divisors)"
        }
        return nil
    }
}

extension NetworkTopology {
    /// What does not fit together, or nil.
    fileprivate var complaint: String? {
        let stages = features.count
        guard stages > 0, strides.count == stages, kernels.count == stages, blocks.count == stages,
            decoderConvolutions.count == stages - 1
        else { return "its network's lists differ in length" }
        let extents = strides + kernels
        guard (features + blocks + decoderConvolutions).allSatisfy({ (1...4096).contains($0) }),
            extents.allSatisfy({ $0.dimensions.allSatisfy { (1...64).contains($0) } }), stages <= 16,
            // The product of all strides stays far from overflow.
            strides.allSatisfy({ $0.dimensions.allSatisfy { $0 <= 8 } })
        else { return "its network has a number out of range" }
        return nil
    }
}

/// A plan that cannot be used.
public struct PlanError: UserFacingError, Equatable {
    /// The plan's file.
    public let path: String
    /// What is wrong.
    public let reason: String
    /// Bad data, unless the file could not be read.
    public var exitCode: Int32 = ExitStatus.badData

    /// What is wrong and where.
    public var description: String { "the plan \(path) cannot be used: \(reason). Make one with `warmstart plan`." }
}
