import Foundation
import Tensors
import WeightFiles

/// A number that a store's array can hold.
protocol ZarrElement: Sendable {
    static var dataType: String { get }
    static var zero: Self { get }
}

extension Float: ZarrElement { static var dataType: String { "float32" } }
extension Int8: ZarrElement { static var dataType: String { "int8" } }
extension Int16: ZarrElement { static var dataType: String { "int16" } }
extension Int32: ZarrElement { static var dataType: String { "int32" } }

/// One array of a Zarr version 3 group: a folder with `zarr.json` and one compressed file per chunk.
///
/// Every chunk is there and whole; border chunks are padded with zeros. A chunk is trusted only if its bytes have the
/// checksum that was recorded when it was written.
struct ZarrArray: Sendable {
    /// The array's folder.
    let path: String
    /// Sizes, slowest axis first.
    let shape: [Int]
    /// Sizes of a chunk.
    let chunk: [Int]
    /// Zarr's name of the element type.
    let dataType: String
    /// The CRC-32 of each chunk's file, in the order of the chunks.
    let checksums: [UInt32]
    /// The CRC-32 of `zarr.json`.
    let metadataChecksum: UInt32

    /// Chunks along each axis.
    var grid: [Int] { zip(shape, chunk).map { ($0 + $1 - 1) / $1 } }

    /// Opens the array that was written to `path` with `checksums`.
    /// - Throws: ``StoreError``: `damaged`.
    init(opening path: String, checksums: [UInt32], expecting dataTypes: [String], part: String, store: String) throws {
        func damaged(_ reason: String) -> StoreError { .damaged(part: part, path: store, reason: reason) }
        let metadata: ZarrMetadata
        do {
            let text = try Data(contentsOf: URL(fileURLWithPath: path + "/zarr.json"))
            metadata = try JSONDecoder().decode(ZarrMetadata.self, from: text)
            metadataChecksum = CRC32.of(text)
        } catch {
            throw damaged("its zarr.json cannot be read")
        }
        if let complaint = metadata.complaint { throw damaged("its zarr.json describes \(complaint)") }
        guard dataTypes.contains(metadata.data_type) else {
            throw damaged("it holds \(metadata.data_type) instead of \(dataTypes.joined(separator: " or "))")
        }
        (self.path, self.checksums, shape) = (path, checksums, metadata.shape)
        (chunk, dataType) = (metadata.chunk_grid.configuration.chunk_shape, metadata.data_type)
        guard checksums.count == grid.reduce(1, *) else {
            throw damaged("it has \(checksums.count) checksums for \(grid.reduce(1, *)) chunks")
        }
    }

    /// Writes `elements` as a new array at `path`.
    static func write<Element: ZarrElement>(
        _ elements: UnsafeBufferPointer<Element>, shape: [Int], chunk: [Int], dimensions: [String], to path: String
    ) throws -> ZarrArray {
        check(elements.count == shape.reduce(1, *), "\(elements.count) elements for the shape \(shape)")
        let metadata = ZarrMetadata(
            shape: shape, chunk: chunk, dataType: Element.dataType, dimensions: dimensions, level: 1)
        let files = FileManager.default
        do {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
            let text = try JSONEncoder.canonical.encode(metadata)
            try text.write(to: URL(fileURLWithPath: path + "/zarr.json"))
            let grid = zip(shape, chunk).map { ($0 + $1 - 1) / $1 }
            var checksums: [UInt32] = []
            var padded = [Element](repeating: .zero, count: chunk.reduce(1, *))
            for number in 0..<grid.reduce(1, *) {
                let index = position(of: number, in: grid)
                gather(elements, shape: shape, chunk: chunk, index: index, into: &padded)
                let frame = padded.withUnsafeBytes { Zstandard.compress($0, level: 1) }
                let file = path + "/c/" + index.map(String.init).joined(separator: "/")
                try files.createDirectory(
                    atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try frame.write(to: URL(fileURLWithPath: file))
                checksums.append(CRC32.of(frame))
            }
            return ZarrArray(
                path: path, shape: shape, chunk: chunk, dataType: Element.dataType, checksums: checksums,
                metadataChecksum: CRC32.of(text))
        } catch {
            throw FileError("write", path, error)
        }
    }

    private init(
        path: String, shape: [Int], chunk: [Int], dataType: String, checksums: [UInt32], metadataChecksum: UInt32
    ) {
        (self.path, self.shape, self.chunk, self.dataType) = (path, shape, chunk, dataType)
        (self.checksums, self.metadataChecksum) = (checksums, metadataChecksum)
    }

    /// The elements of chunk `number`, padding included.
    /// - Throws: ``StoreError``: `damaged`, naming `part` and the chunk; `FileError` if the system does not give the file, for
    ///   example because too many are open.
    func readChunk<Element: ZarrElement>(_ number: Int, as: Element.Type, part: String, store: String) throws
        -> [Element]
    {
        check(Element.dataType == dataType, "\(path) holds \(dataType), not \(Element.dataType)")
        let key = Self.position(of: number, in: grid).map(String.init).joined(separator: "/")
        let file = path + "/c/" + key
        func damaged(_ reason: String) -> StoreError {
            .damaged(part: "chunk \(key) of \(part)", path: store, reason: reason)
        }

        let count = chunk.reduce(1, *)
        let limit = Zstandard.largestFrame(for: count * MemoryLayout<Element>.stride)
        guard let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int else {
            throw damaged("its file is missing")
        }
        guard size <= limit else { throw damaged("its file is too long") }
        let frame: Data
        do {
            frame = try Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            throw FileError("read", file, error)
        }
        guard CRC32.of(frame) == checksums[number] else { throw damaged("its checksum is not the one recorded") }
        return try [Element](unsafeUninitializedCapacity: count) { elements, filled in
            do {
                try Zstandard.decompress(frame, into: UnsafeMutableRawBufferPointer(elements))
            } catch {
                throw damaged("zstd reports: \(error)")
            }
            filled = count
        }
    }

    /// The place in the grid of chunk `number`, slowest axis first.
    static func position(of number: Int, in grid: [Int]) -> [Int] {
        var rest = number
        return grid.reversed().map { size in
            defer { rest /= size }
            return rest % size
        }.reversed()
    }

    /// Copies one chunk out of a whole array; what lies beyond the array is zero.
    private static func gather<Element: ZarrElement>(
        _ elements: UnsafeBufferPointer<Element>, shape: [Int], chunk: [Int], index: [Int], into padded: inout [Element]
    ) {
        padded.withUnsafeMutableBufferPointer { padded in
            padded.update(repeating: .zero)
            /// Copies the part of the chunk below one position along the axes before `axis`.
            func copy(axis: Int, source: Int, target: Int) {
                let first = index[axis] * chunk[axis]
                let count = min(chunk[axis], shape[axis] - first)
                if axis == shape.count - 1 {
                    let run = elements[source * shape[axis] + first..<source * shape[axis] + first + count]
                    _ = padded[(target * chunk[axis])...].update(fromContentsOf: run)
                    return
                }
                for step in 0..<count {
                    copy(
                        axis: axis + 1, source: source * shape[axis] + first + step, target: target * chunk[axis] + step
                    )
                }
            }
            copy(axis: 0, source: 0, target: 0)
        }
    }
}
