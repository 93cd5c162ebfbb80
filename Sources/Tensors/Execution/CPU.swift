import CKernels
import Foundation

/// The processor cores that compute: a pool of threads, a pool of memory and a set of kernels.
///
/// Every tensor knows the `CPU` it lives on. Results are the same bits for any number of threads.
public final class CPU: Sendable {
    /// The number of threads, the calling one included.
    public let threads: Int
    /// The vector instructions in use.
    public let kernelSet: KernelSet
    /// The number format in which convolutions multiply.
    public let precision: Precision
    let memory: MemoryPool
    private let pool: ThreadPool

    /// - Parameters:
    ///   - threads: threads that share the work; by default all cores that the process may use.
    ///   - kernels: the kernels to use; by default the fastest that this processor supports.
    ///   - precision: the number format in which convolutions multiply.
    public convenience init(threads: Int? = nil, kernels: KernelSet = .best, precision: Precision = .float32) {
        self.init(threads: threads, kernels: kernels, precision: precision, memory: MemoryPool())
    }

    /// A processor whose memory holds `content` where nobody has written yet: to test that nobody reads there.
    package convenience init(
        threads: Int? = nil, kernels: KernelSet = .best, precision: Precision = .float32, unwritten content: Float
    ) {
        self.init(threads: threads, kernels: kernels, precision: precision, memory: MemoryPool(content: content))
    }

    private init(threads: Int?, kernels: KernelSet, precision: Precision, memory: MemoryPool) {
        self.threads = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
        (kernelSet, self.precision, self.memory) = (kernels, precision, memory)
        pool = ThreadPool(threads: self.threads)
    }

    /// The most bytes that tensors and kernels held at one time since this was last asked.
    public func takePeakBytes() -> Int { memory.takePeak() }

    /// Calls `body` for each index in `0..<count`, in parallel, and returns when all calls have returned.
    ///
    /// Cut the work by `count` and let each call write its own part of the result: then the result does not depend on
    /// the number of threads. A loop inside `body` runs on its calling thread.
    public func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) { pool.run(count, body) }

    /// ``forEach(_:_:)`` for operations, whose iterations write disjoint parts of raw storage.
    func parallel(_ count: Int, _ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            let unchecked = unsafeBitCast(body, to: (@Sendable (Int) -> Void).self)
            pool.run(count, unchecked)
        }
    }
}

/// A set of microkernels written for one family of vector instructions.
public struct KernelSet: Sendable, Hashable, CustomStringConvertible {
    /// A constant of the C library: it is never written.
    nonisolated(unsafe) let table: UnsafePointer<ws_kernels>

    /// For example `avx512`.
    public var description: String { String(cString: table.pointee.name) }

    /// The sets that this processor can run, slowest first; the first is portable C.
    public static var supported: [KernelSet] {
        (0..<Int(ws_kernel_set_count())).compactMap { ws_kernel_set(Int32($0)).map(KernelSet.init(table:)) }
    }

    /// The fastest supported set, or the one that the environment variable `WARMSTART_KERNELS` names.
    public static var best: KernelSet {
        let supported = supported
        let forced = ProcessInfo.processInfo.environment["WARMSTART_KERNELS"]
        return supported.first { $0.description == forced } ?? supported[supported.count - 1]
    }

    /// The matrix instructions in portable C: slow, to test on any processor what they compute.
    package static var emulatedTiles: KernelSet { KernelSet(table: ws_emulated_tiles()) }

    /// The pairs of bfloat16 numbers that hold a voxel's channels.
    func pairs(for channels: Int) -> Int {
        let multiple = Int(table.pointee.pair_multiple)
        return ((channels + 1) / 2 + multiple - 1) / multiple * multiple
    }

    /// Equal tables are one set.
    public static func == (left: KernelSet, right: KernelSet) -> Bool { left.table == right.table }
    /// Hashes the table's identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(table) }
}
