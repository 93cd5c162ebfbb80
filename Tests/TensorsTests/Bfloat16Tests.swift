import Tensors
import Testing

/// Convolutions of bfloat16 operands with float32 sums.
struct Bfloat16Tests {
    typealias Case = ConvolutionTests.Case

    /// Odd channels, remainders of every tile, all kernel slicings, rows longer than a chunk.
    static let cases: [Case] = [
        Case(inputs: 16, geometry: ConvGeometry(kernel: 3)),
        Case(inputs: 25, outputs: 5, geometry: ConvGeometry(kernel: 3)),
        Case(inputs: 35, outputs: 37, geometry: ConvGeometry(kernel: 1)),
        Case(
            inputs: 19, outputs: 33,
            geometry: ConvGeometry(
                kernel: Extent3(depth: 1, height: 2, width: 3), stride: Extent3(depth: 3, height: 1, width: 2),
                padding: Extent3(depth: 0, height: 1, width: 2), dilation: Extent3(depth: 1, height: 3, width: 2))),
        Case(
            extent: Extent3(depth: 4, height: 9, width: 41), inputs: 17, outputs: 35,
            geometry: ConvGeometry(kernel: 3, stride: 2)),
        Case(
            samples: 1, extent: Extent3(depth: 2, height: 3, width: 200), inputs: 21, outputs: 33,
            geometry: ConvGeometry(kernel: Extent3(depth: 3, height: 1, width: 3))),
        Case(
            samples: 1, extent: Extent3(depth: 13, height: 11, width: 13), inputs: 18, outputs: 8,
            geometry: ConvGeometry(kernel: 3)),
        Case(samples: 1, extent: 1, inputs: 40, outputs: 70, geometry: ConvGeometry(kernel: 3)),
    ]

    /// The nearest number with 8 significant bits, ties to even, written without bit patterns.
    private func rounded(_ x: Float) -> Float {
        guard x.isNormal else { return x.isSubnormal ? 0 : x }
        let grain = x.ulp * 65536
        return (x / grain).rounded(.toNearestOrEven) * grain
    }

    private struct Run {
        var x, w, b, dy: Tensor
        var y, dx, dw, db: Tensor

        init(_ test: Case, on cpu: CPU, scalars: (_ count: Int, _ seed: UInt64) -> [Float]) {
            func tensor(_ shape: Shape, _ seed: UInt64) -> Tensor {
                Tensor(scalars(shape.count, seed), shape: shape, on: cpu)
            }
            let g = test.geometry
            x = tensor(Shape(samples: test.samples, extent: test.extent, channels: test.inputs), 1).tracked()
            w = tensor(Shape(g.kernel.dimensions + [test.inputs, test.outputs]), 2).tracked()
            b = tensor([test.outputs], 3).tracked()
            y = conv3D(x, weight: w, bias: b, g)
            dy = tensor(y.shape, 4)
            let gradients = Tensor.backward(from: [(y, dy)])
            (dx, dw, db) = (gradients[x]!, gradients[w]!, gradients[b]!)
        }

        var results: [[Float]] { [y, dx, dw, db].map(\.scalars) }
    }

    private func integers(_ count: Int, _ seed: UInt64) -> [Float] {
        randomScalars(count, seed: seed).map { ($0 * 9).rounded(.towardZero) }
    }

    /// Sums of n products that are exact in float32 lie within `lambda sqrt(n) 2^-24` of the sum of their magnitudes,
    /// but for probability `2 exp(-lambda^2 / 2)` (Higham and Mary 2019, 10.1137/18M1226312); lambda is 6 here.
    /// Unrounded operands would miss that: bfloat16 products are off by up to `2^-8` each.
    @Test(arguments: KernelSet.tested, cases)
    func agreesWithTheDefinitionOfRoundedOperands(kernels: KernelSet, test: Case) {
        let run = Run(test, on: CPU(threads: 2, kernels: kernels, precision: .bfloat16)) { randomScalars($0, seed: $1) }
        func reference(_ format: (Float) -> Float) -> ConvolutionReference {
            ConvolutionReference(
                x: run.x.scalars.map(format), w: run.w.scalars.map(format), b: run.b.scalars,
                dy: run.dy.scalars.map(format), extent: test.extent, inputs: test.inputs, outputs: test.outputs,
                geometry: test.geometry)
        }
        let expected = reference(rounded)
        let magnitudes = ConvolutionReference(
            x: run.x.scalars.map(abs), w: run.w.scalars.map(abs), b: run.b.scalars.map(abs),
            dy: run.dy.scalars.map(abs), extent: test.extent, inputs: test.inputs, outputs: test.outputs,
            geometry: test.geometry)
        let taps = test.geometry.kernel.volume
        func tolerance(_ magnitudes: [Double], terms: Int) -> Double {
            6 * Double(terms + 1).squareRoot() * 0x1p-24 * (magnitudes.max()! * 1.01)
        }
        let pixels = test.samples * run.y.shape.extent.volume
        let (y, dx) = (
            tolerance(magnitudes.y, terms: taps * test.inputs), tolerance(magnitudes.dx, terms: taps * test.outputs)
        )
        expectClose(run.y, expected.y, shape: run.y.shape, absolute: y)
        expectClose(run.dx, expected.dx, shape: run.x.shape, absolute: dx)
        expectClose(run.dw, expected.dw, shape: run.w.shape, absolute: tolerance(magnitudes.dw, terms: pixels))
        // The bias is no operand: its gradient is a float32 sum of unrounded numbers.
        expectClose(run.db, reference(\.self).db, shape: run.b.shape, absolute: tolerance(magnitudes.db, terms: pixels))
        let unrounded = reference(\.self)
        #expect(zip(run.y.scalars, unrounded.y).contains { abs(Double($0) - $1) > y }, "operands were not rounded")
    }

    @Test("small integers are exact in both formats, whatever the order of sums", arguments: KernelSet.tested, cases)
    func integersAreExact(kernels: KernelSet, test: Case) {
        let exact = Run(test, on: CPU(threads: 1, kernels: kernels), scalars: integers)
        let paired = Run(test, on: CPU(threads: 2, kernels: kernels, precision: .bfloat16), scalars: integers)
        #expect(paired.results == exact.results)
    }

    @Test("an identity shows each number as it is rounded", arguments: KernelSet.tested)
    func roundsToNearestEven(kernels: KernelSet) {
        let special: [Float] = [
            0, 1, 0x1.01p0, 0x1.03p0, 0x1.010002p0, 0x1.02fffep0, -0x1.01p0, 0x1.ffp0, 0x1.fefffep0, 3.14159, -2.71828,
            1e-30, -1e30, 0x1p-126, 0x1.fffff8p-127, 0x1p-149, -0x1p-127, 0x1.fep127, 0x1.fefffep127,
        ]
        let cpu = CPU(threads: 1, kernels: kernels, precision: .bfloat16)
        for channels in [special.count, 40] {
            let scalars = special + [Float](repeating: 0.3, count: channels - special.count)
            var identity = [Float](repeating: 0, count: channels * 64)
            for c in 0..<channels { identity[c * 64 + c] = 1 }
            let x = Tensor(scalars, shape: [1, 1, 1, 1, channels], on: cpu)
            let w = Tensor(identity, shape: [1, 1, 1, channels, 64], on: cpu)
            let y = conv3D(x, weight: w, bias: nil, ConvGeometry(kernel: 1))
            let expected = scalars.map(rounded)
            #expect(Array(y.scalars[..<channels]) == expected)
        }
        for (value, expected) in [(Float.infinity, Float.infinity), (.greatestFiniteMagnitude, .infinity)] {
            let x = Tensor([value, 1, 1, 1], shape: [1, 1, 1, 1, 4], on: cpu)
            let w = Tensor(filledWith: 0.5, shape: [1, 1, 1, 4, 64], on: cpu)
            let y = conv3D(x, weight: w, bias: nil, ConvGeometry(kernel: 1))
            #expect(y.scalars.allSatisfy { $0 == expected })
        }
        for payload in [Float.nan, Float(bitPattern: 0x7f80_0001), Float(bitPattern: 0xffff_ffff)] {
            let x = Tensor([1, payload, 1, 1], shape: [1, 1, 1, 1, 4], on: cpu)
            let w = Tensor(filledWith: 0.5, shape: [1, 1, 1, 4, 64], on: cpu)
            let y = conv3D(x, weight: w, bias: nil, ConvGeometry(kernel: 1))
            #expect(y.scalars.allSatisfy { $0.isNaN })
        }
    }

    @Test(arguments: KernelSet.tested, [false, true])
    func sameBitsForAnyNumberOfThreads(kernels: KernelSet, masked: Bool) {
        let extent = Extent3(depth: 12, height: 16, width: 24)
        let mask = masked ? BlockMask.random(samples: 2, grid: 4, visible: 0.5, seed: 9) : nil
        func results(threads: Int) -> [[Float]] {
            let cpu = CPU(threads: threads, kernels: kernels, precision: .bfloat16)
            let input = randomTensor(Shape(samples: 2, extent: extent, channels: 17), seed: 1, on: cpu).tracked()
            let x = mask.map { hide(input, $0) } ?? input
            let w = randomTensor([3, 3, 3, 17, 19], seed: 2, on: cpu).tracked()
            let v = randomTensor([2, 2, 2, 19, 37], seed: 3, on: cpu).tracked()
            let h = conv3D(x, weight: w, bias: nil, ConvGeometry(kernel: 3))
            let y = conv3D(h, weight: v, bias: nil, ConvGeometry(kernel: 2, stride: 2))
            let gradients = sum(multiply(y, y)).backward()
            return [y, gradients[input]!, gradients[w]!, gradients[v]!].map(\.scalars)
        }
        let one = results(threads: 1)
        for threads in [2, 5] { #expect(results(threads: threads) == one, "\(threads) threads") }
    }

    @Test(
        "on integers a masked map gives exactly the dense result times the mask",
        arguments: KernelSet.tested,
        [ConvGeometry(kernel: 3), ConvGeometry(kernel: 3, stride: 2), ConvGeometry(kernel: 2, stride: 2)])
    func maskedEqualsDenseThenMasked(kernels: KernelSet, geometry: ConvGeometry) {
        let mask = BlockMask.random(
            samples: 2, grid: Extent3(depth: 2, height: 3, width: 2), visible: 0.4, seed: 5)
        let extent = Extent3(depth: 8, height: 12, width: 8)
        let cpu = CPU(threads: 2, kernels: kernels, precision: .bfloat16)
        func tensor(_ shape: Shape, _ seed: UInt64) -> Tensor {
            Tensor(integers(shape.count, seed), shape: shape, on: cpu)
        }
        func times(_ x: Tensor, _ voxels: [Float]) -> [Float] {
            x.scalars.enumerated().map { $1 * voxels[$0 / x.shape.channels] }
        }
        let (visible, seen) = (mask.voxels(in: extent), mask.voxels(in: geometry.outputExtent(of: extent)))
        let x = tensor(Shape(samples: 2, extent: extent, channels: 17), 1).tracked()
        let w = tensor(Shape(geometry.kernel.dimensions + [17, 7]), 2).tracked()
        let b = tensor([7], 3)
        let y = conv3D(hide(x, mask), weight: w, bias: b, geometry)
        let zeroed = Tensor(times(x, visible), shape: x.shape, on: cpu).tracked()
        let dense = conv3D(zeroed, weight: w, bias: b, geometry)
        #expect(y.scalars == times(dense, seen))
        #expect(y.visibility == mask)

        let dy = tensor(y.shape, 4)
        let masked = Tensor.backward(from: [(y, hide(dy, mask))])
        let upstream = Tensor(times(dy, seen), shape: y.shape, on: cpu)
        let reference = Tensor.backward(from: [(dense, upstream)])
        #expect(masked[x]!.scalars == times(reference[zeroed]!, visible))
        #expect(masked[w]!.scalars == reference[w]!.scalars)
    }

    @Test("one input channel, or few outputs at one tap, are not worth rounding")
    func smallProductsStayInFloat32() {
        for test in [
            Case(inputs: 1, outputs: 32, geometry: ConvGeometry(kernel: 3)),
            Case(inputs: 32, outputs: 3, geometry: ConvGeometry(kernel: 1)),
        ] {
            let exact = Run(test, on: CPU(threads: 1)) { randomScalars($0, seed: $1) }
            let run = Run(test, on: CPU(threads: 1, precision: .bfloat16)) { randomScalars($0, seed: $1) }
            #expect(run.y.scalars == exact.y.scalars)
        }
    }

    @Test func automaticPrecisionFollowsTheKernels() {
        for kernels in KernelSet.tested {
            let isFast = ["avx512bf16", "amx"].contains(kernels.description)
            #expect(Precision.automatic(for: kernels) == (isFast ? .bfloat16 : .float32))
        }
        #expect(Precision.automatic == Precision.automatic(for: .best))
    }
}
