import Foundation
import Tensors

extension Gradients {
    /// The Euclidean norm of the gradients of all `parameters` together. Those without a gradient count as zero.
    ///
    /// Summed in chunks of fixed size, in single precision within a few hundred elements and in double precision above:
    /// the same bits for any number of threads.
    public func norm(over parameters: [Parameter]) -> Double {
        parameters.compactMap { self[$0] }.reduce(0) { $0 + $1.sumOfSquares }.squareRoot()
    }

    /// What PyTorch's `clip_grad_norm_` multiplies gradients by: `min(1, limit / (norm + 1e-6))`.
    public static func clippingScale(norm: Double, limit: Double?) -> Float {
        limit.map { min(1, Float($0) / (Float(norm) + 1e-6)) } ?? 1
    }
}

extension Parameter {
    /// The Euclidean norm of the elements; not finite if one of them is not, or is so large that its square is not.
    var norm: Double { value.sumOfSquares.squareRoot() }
}

extension Tensor {
    fileprivate var sumOfSquares: Double {
        withScalars { scalars in
            let chunks = Chunks(count: scalars.count)
            nonisolated(unsafe) let elements = scalars
            let partial = chunks.map(on: cpu) { Self.sumOfSquares(UnsafeBufferPointer(rebasing: elements[$0])) }
            return partial.reduce(0, +)
        }
    }

    private static func sumOfSquares(_ elements: UnsafeBufferPointer<Float>) -> Double {
        guard let start = elements.baseAddress else { return 0 }
        let (lanes, run) = (16, 32)  // elements per vector, vectors per sum in single precision
        var total = 0.0
        var index = 0
        while index + lanes <= elements.count {
            var sums = SIMD16<Float>.zero
            let end = min(index + lanes * run, elements.count - elements.count % lanes)
            while index < end {
                let vector = UnsafeRawPointer(start + index).loadUnaligned(as: SIMD16<Float>.self)
                sums += vector * vector
                index += lanes
            }
            total += Double(sums.sum())
        }
        return elements[index...].reduce(total) { $0 + Double($1) * Double($1) }
    }
}

/// A large array, cut into pieces whose size does not depend on the number of threads.
struct Chunks {
    /// Large enough that handing out a piece costs nothing, small enough that the pieces fit a core's cache.
    private static let size = 1 << 15

    let count: Int

    /// Calls `body` with the range of each piece, in parallel.
    func forEach(on cpu: CPU, _ body: @Sendable (Range<Int>) -> Void) {
        cpu.forEach((count + Self.size - 1) / Self.size) { body(range($0)) }
    }

    /// The results of `body` for each piece, in order.
    func map(on cpu: CPU, _ body: @Sendable (Range<Int>) -> Double) -> [Double] {
        let pieces = (count + Self.size - 1) / Self.size
        return [Double](unsafeUninitializedCapacity: pieces) { buffer, initialized in
            nonisolated(unsafe) let results = buffer
            cpu.forEach(pieces) { results[$0] = body(range($0)) }
            initialized = pieces
        }
    }

    private func range(_ piece: Int) -> Range<Int> { piece * Self.size..<min((piece + 1) * Self.size, count) }
}
