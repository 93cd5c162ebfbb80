import Tensors
import Testing

/// Operations that spare memory compute what the plain ones do.
struct MemoryTests {
    private let cpu = CPU(threads: 2)

    private func map(channels: Int, seed: UInt64, edge: Int = 4) -> Tensor {
        randomTensor(Shape(samples: 2, extent: Extent3(edge), channels: channels), seed: seed, on: cpu)
    }

    @Test("a transposed convolution joins a map with the bits of concatenate", arguments: [3, 32, 37])
    func joining(channels: Int) {
        let (x, skip) = (map(channels: 20, seed: 1), map(channels: channels, seed: 2, edge: 8))
        let weight = randomTensor([2, 2, 2, channels, 20], seed: 3, on: cpu)
        let bias = randomTensor([channels], seed: 4, on: cpu)
        let geometry = ConvGeometry(kernel: 2, stride: 2, padding: 0)
        let joined = convTranspose3D(x, weight: weight, bias: bias, geometry, joining: skip)
        let expected = concatenate([convTranspose3D(x, weight: weight, bias: bias, geometry), skip])
        #expect(joined.shape == expected.shape && joined.scalars == expected.scalars)
    }

    @Test("a norm overwrites what is handed over and nothing that anybody holds")
    func normInPlace() {
        let (held, residual) = (map(channels: 5, seed: 1), map(channels: 5, seed: 2))
        let before = held.scalars
        func normed(_ x: consuming Tensor) -> [Float] {
            instanceNorm(x, weight: nil, bias: nil, epsilon: 1e-5, slope: 0.1, residual: residual).scalars
        }
        let expected = normed(held)
        #expect(held.scalars == before && normed(map(channels: 5, seed: 1)) == expected)
        func normed(residual: consuming Tensor) -> [Float] {
            instanceNorm(held, weight: nil, bias: nil, epsilon: 1e-5, slope: 0.1, residual: residual).scalars
        }
        #expect(normed(residual: map(channels: 5, seed: 2)) == expected && held.scalars == before)
        // As its own residual it is held, too.
        let doubled = instanceNorm(held, weight: nil, bias: nil, epsilon: 1e-5, residual: held).scalars
        #expect(held.scalars == before)
        let plain = instanceNorm(held, weight: nil, bias: nil, epsilon: 1e-5).scalars
        #expect(zip(doubled, zip(plain, before)).allSatisfy { abs($0 - ($1.0 + $1.1)) < 1e-5 })
    }
}
