import CZlib
import Foundation
import Tensors

/// A small picture of 8-bit gray or red-green-blue pixels.
public struct Picture: Hashable, Sendable {
    /// Pixels per row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// Row by row from the top; one byte per pixel, or three.
    public let pixels: [UInt8]

    /// A picture of one (gray) or three (red, green, blue) bytes per pixel.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        check(
            width > 0 && height > 0 && (pixels.count == width * height || pixels.count == 3 * width * height),
            "\(pixels.count) bytes are no picture of \(width) x \(height) pixels")
        (self.width, self.height, self.pixels) = (width, height, pixels)
    }

    /// A gray picture of numbers, of which those up to `range`'s lower end are black and from its upper end on white.
    public init(width: Int, height: Int, values: [Float], range: ClosedRange<Float>) {
        let span = max(range.upperBound - range.lowerBound, .leastNormalMagnitude)
        self.init(
            width: width, height: height,
            pixels: values.map { value in
                let share = (value - range.lowerBound) / span
                return share.isNaN ? 0 : UInt8(max(0, min(1, share)) * 255)
            })
    }

    /// The picture as a PNG file (ISO/IEC 15948).
    public var png: Data {
        let bytesPerPixel = pixels.count / (width * height)
        let row = width * bytesPerPixel
        // Each row is preceded by its filter: 0, none.
        let filtered = (0..<height).flatMap { [0] + pixels[$0 * row..<($0 + 1) * row] }
        let header = Self.bigEndian(width) + Self.bigEndian(height) + [8, bytesPerPixel == 1 ? 0 : 2, 0, 0, 0]
        return Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
            + Self.chunk("IHDR", header) + Self.chunk("IDAT", Self.deflated(filtered)) + Self.chunk("IEND", [])
    }

    private static func chunk(_ type: String, _ content: [UInt8]) -> Data {
        let checked = Array(type.utf8) + content
        let sum = crc32(0, checked, UInt32(checked.count))
        return Data(bigEndian(content.count) + checked + bigEndian(Int(sum)))
    }

    private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var size = compressBound(UInt(bytes.count))
        return [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            let status = compress2(buffer.baseAddress, &size, bytes, UInt(bytes.count), 6)
            check(status == Z_OK, "zlib cannot compress \(bytes.count) bytes: status \(status)")
            count = Int(size)
        }
    }

    private static func bigEndian(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(number).bigEndian) { Array($0) }
    }
}

/// A row of pictures on a run's page, such as input, prediction and reference of one slice.
public struct Preview: Sendable {
    /// What the pictures show.
    public var title: String
    /// The pictures.
    public var images: [Picture]

    /// A row of pictures.
    public init(title: String, images: [Picture]) { (self.title, self.images) = (title, images) }
}
