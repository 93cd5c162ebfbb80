import Tensors
import Testing

/// Numbers in -1..<1 that no two tests share.
func randomScalars(_ count: Int, seed: UInt64, sample: Int = 0) -> [Float] {
    var draws = Draws(seed: seed, purpose: "tests", sample: sample)
    return (0..<count).map { _ in Float(draws.uniform(in: -1..<1)) }
}

func randomTensor(_ shape: Shape, seed: UInt64, on cpu: CPU) -> Tensor {
    Tensor(randomScalars(shape.count, seed: seed), shape: shape, on: cpu)
}

/// Compares shape, then every element, and reports the worst place.
func expectClose(
    _ actual: Tensor, _ expected: [Double], shape: Shape, absolute: Double, relative: Double = 0,
    _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.shape == shape, expected.count == shape.count else {
        Issue.record("shape \(actual.shape), expected \(shape). \(comment ?? "")", sourceLocation: sourceLocation)
        return
    }
    let scalars = actual.scalars
    let excess = scalars.indices.map { index in
        let difference = abs(Double(scalars[index]) - expected[index]) - relative * abs(expected[index]) - absolute
        return difference.isNaN ? .infinity : difference
    }
    guard let worst = excess.indices.max(by: { excess[$0] < excess[$1] }), excess[worst] > 0 else { return }
    Issue.record(
        "worst at \(worst) of \(shape): \(scalars[worst]) against \(expected[worst]). \(comment ?? "")",
        sourceLocation: sourceLocation)
}

extension BlockMask {
    /// A mask with a given share of visible cells per sample, at least one visible and one hidden.
    static func random(samples: Int, grid: Extent3, visible share: Double, seed: UInt64) -> BlockMask {
        let flags = (0..<samples).flatMap { sample in
            var draws = Draws(seed: seed, purpose: "test masks", sample: sample)
            let seen = min(grid.volume - 1, max(1, Int(share * Double(grid.volume))))
            let order = draws.permutation(of: grid.volume)
            return order.map { $0 < seen }
        }
        return BlockMask(samples: samples, grid: grid, visible: flags)
    }
}

extension KernelSet {
    /// What this processor supports, and the matrix instructions in portable C.
    static var tested: [KernelSet] { supported + [.emulatedTiles] }
}
