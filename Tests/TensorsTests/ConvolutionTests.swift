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
        Case(samples: 1, extent: 1, inputs: 40, outputs: 70, geometry: ConvGeometry(kernel: 3)),
    ]

    @Test(arguments: KernelSet.supported, cases)
    func agreesWithTheDefinition(kernels: KernelSet, test: Case) {
        let cpu = CPU(threads: 2, kernels: kernels)
        let g = test.geometry
        let output = g.outputExtent(of: test.extent)
        let x = randomTensor(Shape(samples: test.samples, extent: test.extent, channels: test.inputs), seed: 1, on: cpu)
            .tracked()
        let w = randomTensor(Shape(g.kernel.dimensions + [test.inputs, test.outputs]), seed: 2, on: cpu).tracked()
        let b = randomTensor([test.outputs], seed: 3, on: cpu).tracked()
        let y = conv3D(x, weight: w, bias: b, g)
        let dy = randomTensor(y.shape, seed: 4, on: cpu)
        let gradients = Tensor.backward(from: [(y, dy)])

        let (xs, ws, bs, dys) = (x.scalars, w.scalars, b.scalars, dy.scalars)
        var (ys, dxs) = ([Double](repeating: 0, count: y.shape.count), [Double](repeating: 0, count: xs.count))
        var (dws, dbs) = ([Double](repeating: 0, count: ws.count), [Double](repeating: 0, count: bs.count))
        for pixel in 0..<test.samples * output.volume {
            let (n, o) = (pixel / output.volume, place(pixel % output.volume, output))
            for c in 0..<test.outputs {
                ys[pixel * test.outputs + c] += Double(bs[c])
                dbs[c] += Double(dys[pixel * test.outputs + c])
            }
            for tap in 0..<g.kernel.volume {
                let t = place(tap, g.kernel)
                let i = (0..<3).map { o[$0] * g.stride[$0] - g.padding[$0] + t[$0] * g.dilation[$0] }
                guard (0..<3).allSatisfy({ i[$0] >= 0 && i[$0] < test.extent[$0] }) else { continue }
                let voxel = ((n * test.extent.depth + i[0]) * test.extent.height + i[1]) * test.extent.width + i[2]
                for k in 0..<test.inputs {
                    for c in 0..<test.outputs {
                        let (xi, wi) = (voxel * test.inputs + k, (tap * test.inputs + k) * test.outputs + c)
                        let yi = pixel * test.outputs + c
                        ys[yi] += Double(xs[xi]) * Double(ws[wi])
                        dxs[xi] += Double(dys[yi]) * Double(ws[wi])
                        dws[wi] += Double(dys[yi]) * Double(xs[xi])
                    }
                }
            }
        }
        expectClose(y, ys, shape: y.shape, absolute: 2e-5, relative: 3e-6)
        expectClose(gradients[x]!, dxs, shape: x.shape, absolute: 2e-5, relative: 3e-6)
        expectClose(gradients[w]!, dws, shape: w.shape, absolute: 3e-4)  // sums of up to 1200 products
        expectClose(gradients[b]!, dbs, shape: b.shape, absolute: 1e-4)
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

    private func place(_ index: Int, _ extent: Extent3) -> Extent3 {
        Extent3(
            depth: index / (extent.height * extent.width), height: index / extent.width % extent.height,
            width: index % extent.width)
    }
}
