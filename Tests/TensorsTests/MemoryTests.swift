import Tensors
import Testing

/// Operations that spare memory compute what the plain ones do.
struct MemoryTests {
    /// A transposed convolution that joins a skip connection.
    struct Joining: Sendable, CustomTestStringConvertible {
        let stride: Extent3
        let up, skip: Int
        var hasBias = true
        var testDescription: String { "\(stride), \(up) and \(skip) channels" }

        func inputs(on cpu: CPU) -> [Tensor] {
            let extent = Extent3(4), fine = extent.zipped(with: stride, *)
            return [
                randomTensor(Shape(samples: 2, extent: extent, channels: 20), seed: 1, on: cpu),
                randomTensor(Shape(samples: 2, extent: fine, channels: skip), seed: 2, on: cpu),
                randomTensor(Shape(stride.dimensions + [up, 20]), seed: 3, on: cpu),
            ] + (hasBias ? [randomTensor([up], seed: 4, on: cpu)] : [])
        }

        func joined(_ inputs: [Tensor]) -> Tensor {
            convTranspose3D(
                inputs[0], weight: inputs[2], bias: inputs.count > 3 ? inputs[3] : nil, geometry, joining: inputs[1])
        }

        func concatenated(_ inputs: [Tensor]) -> Tensor {
            let up = convTranspose3D(inputs[0], weight: inputs[2], bias: inputs.count > 3 ? inputs[3] : nil, geometry)
            return concatenate([up, inputs[1]])
        }

        private var geometry: ConvGeometry { ConvGeometry(kernel: stride, stride: stride, padding: 0) }
    }

    static let joinings = [
        Joining(stride: 2, up: 3, skip: 5), Joining(stride: Extent3(depth: 1, height: 2, width: 2), up: 32, skip: 16),
        Joining(stride: 2, up: 37, skip: 1, hasBias: false), Joining(stride: 1, up: 16, skip: 16),
    ]

    @Test("a transposed convolution joins a map with the bits of concatenate", arguments: KernelSet.tested, joinings)
    func joining(kernels: KernelSet, test: Joining) {
        for precision in [Precision.float32, .bfloat16] {
            let inputs = test.inputs(on: CPU(threads: 2, kernels: kernels, precision: precision))
            let (joined, expected) = (test.joined(inputs), test.concatenated(inputs))
            #expect(joined.shape == expected.shape && joined.scalars == expected.scalars)
        }
    }

    @Test("so do its gradients, whichever of its inputs want one", arguments: joinings)
    func joiningGradients(test: Joining) {
        let plain = test.inputs(on: CPU(threads: 2))
        for wanted in 1..<(1 << plain.count) {
            let inputs = plain.enumerated().map { wanted >> $0 & 1 == 1 ? $1.tracked() : $1 }
            func gradients(_ output: Tensor) -> [[Float]?] {
                let upstream = randomTensor(output.shape, seed: 5, on: output.cpu)
                let gradients = Tensor.backward(from: [(output, upstream)])
                return inputs.map { gradients[$0]?.scalars }
            }
            let found = gradients(test.joined(inputs))
            #expect(found == gradients(test.concatenated(inputs)))
            #expect(found.enumerated().allSatisfy { ($1 != nil) == (wanted >> $0 & 1 == 1) })
        }
    }

    @Test("a norm overwrites what is handed over and nothing that anybody holds", arguments: [false, true])
    func normInPlace(isMasked: Bool) {
        let cpu = CPU(threads: 2)
        let mask = BlockMask(
            samples: 1, grid: 2, visible: [true, false, true, true, false, true, false, true])
        func map(_ seed: UInt64) -> Tensor {
            let map = randomTensor(Shape(samples: 1, extent: 16, channels: 96), seed: seed, on: cpu)
            return isMasked ? hide(map, mask) : map
        }
        /// The result, and how many maps' worth of memory were needed for it.
        func normed(_ x: consuming Tensor, _ residual: consuming Tensor?) -> (scalars: [Float], maps: Double) {
            let bytes = Double(x.shape.count * MemoryLayout<Float>.stride)
            _ = cpu.takePeakBytes()
            let before = cpu.takePeakBytes()
            let y = instanceNorm(
                consume x, weight: nil, bias: nil, epsilon: 1e-5, slope: 0.1, residual: consume residual)
            return (y.scalars, Double(cpu.takePeakBytes() - before) / bytes)
        }
        let (x, residual) = (map(1), map(2))
        let before = [x.scalars, residual.scalars]
        let expected = normed(x, residual)
        #expect(expected.maps >= 1)
        for (result, name) in [(normed(map(1), residual), "x"), (normed(x, map(2)), "residual")] {
            #expect(result.scalars == expected.scalars, "\(name) handed over")
            #expect(result.maps < 0.5, "\(name) handed over")
        }
        // As its own residual it is held, too.
        #expect(normed(x, x).maps >= 1)
        #expect([x.scalars, residual.scalars] == before)
    }
}
