import Foundation

/// A NIfTI-1 file made field by field, so that tests do not depend on the writer.
struct HandmadeNIfTI {
    var header = [UInt8](repeating: 0, count: 352)
    var voxels: [UInt8]
    let isBigEndian: Bool

    /// An image of 16-bit integers 0, 1, 2, ...; sform and qform both set, oblique, in millimetres.
    init(dimensions: [Int], isBigEndian: Bool = false) {
        let voxels = (0..<dimensions.reduce(1, *)).flatMap { Self.bytes(UInt64($0), 2, isBigEndian) }
        self.init(dimensions: dimensions, voxels: voxels, isBigEndian: isBigEndian)
    }

    init(dimensions: [Int], voxels: [UInt8], isBigEndian: Bool = false) {
        (self.voxels, self.isBigEndian) = (voxels, isBigEndian)
        set(0, integer: 348, size: 4)
        set(40, integer: dimensions.count, size: 2)
        for axis in 1...7 { set(40 + 2 * axis, integer: axis <= dimensions.count ? dimensions[axis - 1] : 1, size: 2) }
        set(70, integer: 4, size: 2)
        set(72, integer: 16, size: 2)
        for (index, size) in [-1, 0.8, 1.25, 3, 2.5, 0, 0, 0].enumerated() { set(76 + 4 * index, float: Float(size)) }
        set(108, float: 352)
        set(112, float: 1)
        header[123] = 10  // millimetres and seconds
        set(252, integer: 1, size: 2)
        set(254, integer: 2, size: 2)
        for (index, value) in [0.1, -0.2, 0.3, -12.5, 30.25, 7.125].enumerated() {
            set(256 + 4 * index, float: Float(value))
        }
        let sform: [Float] = [-0.79, 0.1, 0.2, 90.5, 0.12, 1.2, -0.4, -126.25, 0.03, 0.3, 2.9, -72.75]
        for (index, value) in sform.enumerated() { set(280 + 4 * index, float: value) }
        header.replaceSubrange(344..<348, with: Array("n+1\0".utf8))
    }

    var bytes: [UInt8] { header + voxels }

    mutating func set(_ offset: Int, integer value: Int, size: Int) {
        header.replaceSubrange(
            offset..<offset + size, with: Self.bytes(UInt64(bitPattern: Int64(value)), size, isBigEndian))
    }

    mutating func set(_ offset: Int, float value: Float) {
        header.replaceSubrange(offset..<offset + 4, with: Self.bytes(UInt64(value.bitPattern), 4, isBigEndian))
    }

    private static func bytes(_ value: UInt64, _ size: Int, _ isBigEndian: Bool) -> [UInt8] {
        let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
        return isBigEndian ? little.reversed() : little
    }
}

/// Calls `body` with a new folder, which is removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "warmstart-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path(percentEncoded: false))
}

func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(filePath: path)) }

func contents(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }
