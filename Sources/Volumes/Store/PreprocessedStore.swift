import Foundation
import Synchronization
import Tensors
import WeightFiles

/// A folder of preprocessed cases, ready to cut patches from: one Zarr version 3 group per case, which the field's own
/// tools can open, and the plan that made them.
///
/// ```
/// STORE/zarr.json             attributes: the plan
/// STORE/CASE/zarr.json        attributes: the case's record and the checksums of all chunks
/// STORE/CASE/image/           float32 [C, D, H, W]
/// STORE/CASE/labels/          int8 or int16 [D, H, W]; -1 is outside the body
/// STORE/CASE/foreground/      int32 [n, 4]: label, depth, height, width of voxels to draw patches around
/// ```
///
/// Any number of threads may read at once.
public final class PreprocessedStore: Sendable {
    /// The store's folder.
    public let path: String
    /// The plan that made the cases.
    public let plan: Plan
    /// The cases' names, ascending.
    public let caseNames: [String]
    private let cache: StoreCache
    private let open = Mutex<[String: StoredCase]>([:])

    /// Opens a store and lists its cases.
    /// - Parameter cacheBytes: how many bytes of unpacked chunks to keep in memory.
    /// - Throws: ``StoreError``, ``PlanError``.
    public init(opening path: String, cacheBytes: Int = 2 << 30) throws {
        self.path = path
        guard let stored = try Self.storedPlan(in: path) else {
            throw StoreError.notAStore(path: path, reason: "it has no zarr.json")
        }
        plan = stored
        caseNames = try Self.caseNames(in: path)
        cache = StoreCache(bytes: cacheBytes)
    }

    /// One case, opened at most once.
    /// - Throws: ``StoreError``.
    public func `case`(_ name: String) throws -> StoredCase {
        if let known = open.withLock({ $0[name] }) { return known }
        guard Self.isAllowed(name) else { throw StoreError.badName(name) }
        let opened = try StoredCase(opening: name, of: path, cache: cache)
        open.withLock { $0[name] = opened }
        return opened
    }

    /// The plan in a folder's `zarr.json`; nil if there is no such file.
    static func storedPlan(in path: String) throws -> Plan? {
        guard let data = FileManager.default.contents(atPath: path + "/zarr.json") else { return nil }
        do {
            let attributes = try JSONDecoder().decode(ZarrGroup<StoreAttributes>.self, from: data).attributes
            guard attributes.isIntact else {
                throw StoreError.damaged(
                    part: "the plan", path: path, reason: "the checksum of its zarr.json is not the one recorded")
            }
            try attributes.plan.requireSound(path: path)
            return attributes.plan
        } catch let error as DecodingError {
            throw StoreError.notAStore(path: path, reason: "its zarr.json holds no plan (\(error.placeAndReason))")
        }
    }

    /// The finished cases in a folder. Folders that a killed process left behind are none.
    static func caseNames(in path: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
                isAllowed(name) && FileManager.default.fileExists(atPath: "\(path)/\(name)/zarr.json")
            }.sorted()
        } catch {
            throw FileError("read", path, error)
        }
    }

    static func isAllowed(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && !name.contains("/") && !name.hasSuffix(".partial")
            && !name.hasSuffix(".previous") && name != "zarr.json"
    }
}

/// The attributes of a store's group.
struct StoreAttributes: Sealed {
    var plan: Plan
    var checksum: UInt32 = 0
}
