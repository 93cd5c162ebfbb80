import Tensors
import Testing

/// Convolutions against the plain definition in float64, over geometries whose axes all differ.
struct ConvolutionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var samples = 2
        var extent = Extent3(depth: 5, height: 6, width: 7)
        var inputs = 3
        var outputs = 4
        var geometry: ConvGeometry
        var testDescription: String { "\(extent) \(inputs)>\(outputs) \(geometry)" }
    }

    static let cases: [Case] = [
        Case(geometry: ConvGeometry(kernel: 3)),
        Case(geometry: ConvGeometry(kernel: 1)),
        Case(
            geometry: ConvGeometry(
                kernel: Extent3(depth: 1, height: 2, width: 3), stride: Extent3(depth: 3, height: 1, width: 2),
                padding: Extent3(depth: 0, height: 1, width: 2), dilation: Extent3(depth: 1, height: 3, width: 2))),
        Case(
            extent: Extent3(depth: 4, height: 9, width: 41), inputs: 17, outputs: 35,
            geometry: ConvGeometry(kernel: 3, stride: 2)),
        Case(
            samples: 1, extent: Extent3(depth: 2, height: 3, width: 200), inputs: 13, outputs: 33,
            geometry: ConvGeometry(kernel: 3)),
        // Wide maps at stride 1: cubes of 4x4x4, of 2x2x2 and of unequal edges, odd extents, every padding.
        Case(
            samples: 1, extent: Extent3(depth: 8, height: 8, width: 12), inputs: 18, outputs: 35,
            geometry: ConvGeometry(kernel: 3)),
        Case(samples: 1, extent: 6, inputs: 18, outputs: 35, geometry: ConvGeometry(kernel: 3)),
        Case(
            extent: Extent3(depth: 7, height: 10, width: 11), inputs: 18, outputs: 35,
            geometry: ConvGeometry(kernel: 3)),
        Case(
            extent: Extent3(depth: 9, height: 7, width: 12), inputs: 33, outputs: 17,
            geometry: ConvGeometry(kernel: 3, padding: Extent3(depth: 0, height: 1, width: 2))),
        Case(
            samples: 1, extent: Extent3(depth: 3, height: 21, width: 18), inputs: 16, outputs: 70,
            geometry: ConvGeometry(
                kernel: Extent3(depth: 1, height: 3, width: 3), padding: Extent3(depth: 0, height: 1, width: 1))),
        Case(samples: 1, extent: 1, inputs: 40, outputs: 70, geometry: ConvGeometry(kernel: 3)),
        // Whole panels, in so few pixels that the weights' gradient is one sum, panel by panel or tap by tap.
        Case(samples: 1, extent: 4, inputs: 18, outputs: 64, geometry: ConvGeometry(kernel: 3)),
        Case(samples: 1, extent: 4, inputs: 64, outputs: 96, geometry: ConvGeometry(kernel: 3)),
        Case(samples: 1, extent: 4, inputs: 18, outputs: 64, geometry: ConvGeometry(kernel: 3, stride: 2)),
        // Cubes in two chunks, more than a slab of inputs, and so many cubes that the weights are spread once for all.
        Case(
            extent: Extent3(depth: 10, height: 12, width: 16), inputs: 16, outputs: 32,
            geometry: ConvGeometry(kernel: 3)),
        Case(samples: 1, extent: 6, inputs: 70, outputs: 96, geometry: ConvGeometry(kernel: 3)),
        Case(
            samples: 1, extent: Extent3(depth: 3, height: 28, width: 27), inputs: 16, outputs: 35,
            geometry: ConvGeometry(
                kernel: Extent3(depth: 1, height: 3, width: 3), padding: Extent3(depth: 0, height: 1, width: 1))),
        // A pixel that sees nothing but its bias.
        Case(
            samples: 1, extent: 1, inputs: 5, outputs: 7, geometry: ConvGeometry(kernel: 2, padding: 1, dilation: 2)),
    ]

    @Test(arguments: KernelSet.tested, cases)
    func agreesWithTheDefinition(kernels: KernelSet, test: Case) {
        let cpu = CPU(threads: 2, kernels: kernels, unwritten: .nan)
        let g = test.geometry
        let x = randomTensor(Shape(samples: test.samples, extent: test.extent, channels: test.inputs), seed: 1, on: cpu)
            .tracked()
        let w = randomTensor(Shape(g.kernel.dimensions + [test.inputs, test.outputs]), seed: 2, on: cpu).tracked()
        let b = randomTensor([test.outputs], seed: 3, on: cpu).tracked()
        let y = conv3D(x, weight: w, bias: b, g)
        let dy = randomTensor(y.shape, seed: 4, on: cpu)
        let gradients = Tensor.backward(from: [(y, dy)])

        let exact = ConvolutionReference(
            x: x.scalars, w: w.scalars, b: b.scalars, dy: dy.scalars, extent: test.extent, inputs: test.inputs,
            outputs: test.outputs, geometry: g)
        // Minimal filtering loses up to three times what the sum tap by tap does, relative to the deviation of all sums.
        let isFiltered = g.stride == 1 && g.dilation == 1 && min(test.inputs, test.outputs) >= 16
        func expectSums(_ actual: Tensor, _ expected: [Double], of channels: Int) {
            let deviation = Double(g.kernel.volume * channels).squareRoot()
            expectClose(
                actual, expected, shape: actual.shape, absolute: isFiltered ? 5e-6 * deviation : 2e-5,
                relative: isFiltered ? 0 : 3e-6)
        }
        expectSums(y, exact.y, of: test.inputs)
        expectSums(gradients[x]!, exact.dx, of: test.outputs)
        expectClose(gradients[w]!, exact.dw, shape: w.shape, absolute: 3e-4)  // sums of up to 3840 products
        expectClose(gradients[b]!, exact.db, shape: b.shape, absolute: 1e-4)
    }

    /// Maps of 49 to 144 cubes: few, in several chunks of 48, which are summed in groups.
    static let fewCubes: [(extent: Extent3, channels: Int, kernel: Extent3, mask: BlockMask)] = [
        // Cells of two voxels take cubes of two voxels: 119 of them.
        (10, 256, 3, BlockMask(samples: 1, grid: 5, visible: (0..<125).map { $0 % 21 != 4 })),
        // 119 cubes of 4x4x4 voxels.
        (
            Extent3(depth: 16, height: 20, width: 24), 64, 3,
            BlockMask(
                samples: 1, grid: Extent3(depth: 4, height: 5, width: 6), visible: (0..<120).map { $0 != 71 })
        ),
        // 125 cubes of 1x4x4 voxels.
        (
            Extent3(depth: 3, height: 24, width: 28), 64, Extent3(depth: 1, height: 3, width: 3),
            BlockMask(samples: 1, grid: Extent3(depth: 3, height: 6, width: 7), visible: (0..<126).map { $0 != 71 })
        ),
    ]

    @Test(
        "the weights' gradient is the adjoint: <conv(x, v), dy> = <dw, v>", arguments: KernelSet.tested,
        fewCubes.indices)
    func weightsGradientIsAdjoint(kernels: KernelSet, index: Int) {
        let (extent, channels, kernel, mask) = Self.fewCubes[index]
        let cpu = CPU(threads: 2, kernels: kernels, unwritten: .nan)
        let shape = Shape(samples: 1, extent: extent, channels: channels)
        let geometry = ConvGeometry(kernel: kernel)
        let x = hide(randomTensor(shape, seed: 1, on: cpu), mask)
        let dy = randomTensor(shape, seed: 4, on: cpu)
        let w = Tensor(zeros: Shape(kernel.dimensions + [channels, channels]), on: cpu).tracked()
        let y = conv3D(x, weight: w, bias: nil, geometry)
        let dw = Tensor.backward(from: [(y, dy)])[w]!
        let v = randomTensor(dw.shape, seed: 2, on: cpu)
        func dot(_ a: Tensor, _ b: Tensor) -> Double {
            zip(a.scalars, b.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let (forward, backward) = (dot(conv3D(x, weight: v, bias: nil, geometry), dy), dot(dw, v))
        let products = kernel.volume * channels, outputs = extent.volume * channels
        let deviation = Double(products).squareRoot() * Double(outputs).squareRoot()
        #expect(abs(forward - backward) < 1e-5 * deviation, "\(forward), \(backward)")
    }

    @Test("a transposed convolution is the adjoint: <conv x, y> = <x, convT y>", arguments: cases)
    func transposedIsAdjoint(test: Case) {
        let cpu = CPU(threads: 2)
        let g = test.geometry
        let x = randomTensor(Shape(samples: test.samples, extent: test.extent, channels: test.inputs), seed: 1, on: cpu)
        let w = randomTensor(Shape(g.kernel.dimensions + [test.inputs, test.outputs]), seed: 2, on: cpu)
        let forward = conv3D(x, weight: w, bias: nil, g)
        let y = randomTensor(forward.shape, seed: 5, on: cpu)
        let missing = test.extent.zipped(with: g.transposedExtent(of: forward.shape.extent, outputPadding: 0), -)
        let backward = convTranspose3D(y, weight: w, bias: nil, g, outputPadding: missing)
        #expect(backward.shape == x.shape)
        func dot(_ a: Tensor, _ b: Tensor) -> Double {
            zip(a.scalars, b.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        #expect(abs(dot(forward, y) - dot(x, backward)) < 1e-4 * (1 + abs(dot(forward, y))))
    }
}
