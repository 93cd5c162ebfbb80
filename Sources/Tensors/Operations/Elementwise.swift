import Foundation

extension Tensor {
    /// A tensor like this one, whose visible elements `body` writes a stretch at a time, in parallel.
    func elementwise(_ body: (UnsafeMutablePointer<Float>, Range<Int>) -> Void) -> Tensor {
        let result = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: cpu), visibility: visibility)
        result.forEachStretch { body(result.pointer, $0) }
        return result
    }

    /// Adds another tensor, in place where nobody else holds this one's memory. Not recorded.
    mutating func accumulate(_ other: Tensor) {
        checkLike(other, "accumulate")
        guard isUnshared() else {
            self = add(self, other).detached
            return
        }
        let (sum, addend) = (pointer, other.pointer)
        forEachStretch { range in for i in range { sum[i] += addend[i] } }
    }

    func checkLike(_ other: Tensor, _ operation: String) {
        check(
            shape == other.shape && visibility == other.visibility,
            "\(operation) wants equal shapes and masks, got \(shape) and \(other.shape)")
    }
}

extension CPU {
    /// Cuts `0..<count` into stretches that fit the second-level cache and runs them in parallel.
    func parallelStretches(_ count: Int, _ body: (Range<Int>) -> Void) {
        let length = 1 << 15
        parallel((count + length - 1) / length) { body(($0 * length)..<min(count, ($0 + 1) * length)) }
    }
}

/// `a + b`, element by element.
public func add(_ a: Tensor, _ b: Tensor) -> Tensor {
    a.checkLike(b, "add")
    let sum = a.elementwise { out, range in for i in range { out[i] = a.pointer[i] + b.pointer[i] } }
    return sum.recorded(from: [a, b]) { [$0, $0] }
}

/// `a * b`, element by element.
public func multiply(_ a: Tensor, _ b: Tensor) -> Tensor {
    a.checkLike(b, "multiply")
    func product(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.elementwise { out, range in for i in range { out[i] = a.pointer[i] * b.pointer[i] } }
    }
    return product(a, b).recorded(from: [a, b]) { gradient in
        [a.needsGradient ? product(gradient, b) : nil, b.needsGradient ? product(gradient, a) : nil]
    }
}

/// `factor * x`.
public func scale(_ x: Tensor, by factor: Float) -> Tensor {
    x.elementwise { out, range in for i in range { out[i] = factor * x.pointer[i] } }
        .recorded(from: [x]) { [scale($0, by: factor)] }
}

/// `x` where positive, `slope * x` elsewhere; the derivative at 0 is `slope`.
public func leakyReLU(_ x: Tensor, slope: Float) -> Tensor {
    func activated(_ x: Tensor) -> Tensor {
        x.elementwise { out, range in
            for i in range { out[i] = x.pointer[i] > 0 ? x.pointer[i] : slope * x.pointer[i] }
        }
    }
    let kept = Kept(x, if: x.needsGradient)
    return activated(x).recorded(from: [x]) { gradient in
        let x = kept.value
        return [
            gradient.elementwise { out, range in
                for i in range { out[i] = x.pointer[i] > 0 ? gradient.pointer[i] : slope * gradient.pointer[i] }
            }
        ]
    }.remakable { activated(kept.value) }
}

/// The larger of `x` and 0; the derivative at 0 is 0.
public func relu(_ x: Tensor) -> Tensor { leakyReLU(x, slope: 0) }

/// `1 / (1 + exp(-x))`. Dense maps only: it does not keep zeros.
public func sigmoid(_ x: Tensor) -> Tensor {
    check(x.visibility == nil, "sigmoid wants a dense map")
    let y = x.elementwise { out, range in for i in range { out[i] = 1 / (1 + exp(-x.pointer[i])) } }
    return y.recorded(from: [x]) { gradient in
        [
            gradient.elementwise { out, range in
                for i in range { out[i] = gradient.pointer[i] * y.pointer[i] * (1 - y.pointer[i]) }
            }
        ]
    }
}

/// `exp(x_c) / sum over c of exp(x_c)` over the last axis (channels).
public func softmax(_ x: Tensor) -> Tensor {
    check(x.visibility == nil, "softmax wants a dense map")
    let channels = x.shape.dimensions.last!
    let rows = x.shape.count / max(1, channels)
    let y = Tensor(shape: x.shape, buffer: Buffer(count: x.shape.count, on: x.cpu))
    x.cpu.parallelStretches(rows) { range in
        for row in range { softmaxRow(x.pointer + row * channels, y.pointer + row * channels, channels) }
    }
    return y.recorded(from: [x]) { gradient in
        let dx = Tensor(shape: x.shape, buffer: Buffer(count: x.shape.count, on: x.cpu))
        x.cpu.parallelStretches(rows) { range in
            for row in range {
                let (g, p, d) = (
                    gradient.pointer + row * channels, y.pointer + row * channels, dx.pointer + row * channels
                )
                var dot: Float = 0
                for c in 0..<channels { dot += g[c] * p[c] }
                for c in 0..<channels { d[c] = p[c] * (g[c] - dot) }
            }
        }
        return [dx]
    }
}

/// The softmax of one row of `channels` logits.
func softmaxRow(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ channels: Int) {
    var largest = x[0]
    for c in 1..<max(1, channels) { largest = max(largest, x[c]) }
    var total: Float = 0
    for c in 0..<channels {
        y[c] = exp(x[c] - largest)
        total += y[c]
    }
    for c in 0..<channels { y[c] /= total }
}
