import Tensors
import Testing

/// Masked maps against the dense operation on zeroed input, multiplied by the mask afterwards. Memory that nobody wrote
/// holds no numbers: whoever reads a hidden voxel shows it.
struct MaskedMapTests {
    static let mask = BlockMask.random(samples: 2, grid: Extent3(depth: 2, height: 3, width: 2), visible: 0.4, seed: 5)
    static let extent = Extent3(depth: 8, height: 12, width: 8)
    private let cpu = CPU(threads: 2, unwritten: .nan)

    private func input(channels: Int) -> Tensor {
        randomTensor(Shape(samples: 2, extent: Self.extent, channels: channels), seed: 11, on: cpu)
    }

    private func times(_ x: Tensor, _ voxels: [Float]) -> [Double] {
        let channels = x.shape.channels
        return x.scalars.enumerated().map { Double($1) * Double(voxels[$0 / channels]) }
    }

    @Test(arguments: [
        ConvGeometry(kernel: 3), ConvGeometry(kernel: 3, stride: 2), ConvGeometry(kernel: 1),
        ConvGeometry(kernel: 2, stride: 2),
    ])
    func convolution(geometry: ConvGeometry) {
        compareWithDense(geometry, channels: (5, 7), mask: Self.mask, rounding: (1e-6, 1e-5, 1e-4))
    }

    @Test("where nothing is visible nothing is learned", arguments: [(5, 7), (17, 64)])
    func nothingVisible(channels: (Int, Int)) {
        let mask = BlockMask(samples: 2, grid: Self.mask.grid, visible: [Bool](repeating: false, count: 2 * 12))
        compareWithDense(ConvGeometry(kernel: 3), channels: channels, mask: mask, rounding: (0, 0, 0))
    }

    @Test("voxels so far apart that many taps see none of them")
    func scatteredVoxels() {
        let mask = BlockMask.random(samples: 2, grid: Self.extent, visible: 0.02, seed: 5)
        compareWithDense(ConvGeometry(kernel: 3), channels: (5, 32), mask: mask, rounding: (1e-6, 1e-5, 1e-4))
    }

    @Test(
        "wide maps are filtered in cubes that fit the mask's cells: of 4x4x4, 2x2x2 and 2x4x2 outputs, or none",
        arguments: [
            Extent3(depth: 2, height: 3, width: 2), Extent3(depth: 4, height: 6, width: 4),
            Extent3(depth: 4, height: 3, width: 4), Extent3(depth: 4, height: 3, width: 8),
        ], [33, 64])
    func wideConvolution(grid: Extent3, outputs: Int) {
        // The masked and the dense map may be filtered in different cubes: the bounds are those of rounding.
        compareWithDense(
            ConvGeometry(kernel: 3), channels: (17, outputs),
            mask: BlockMask.random(samples: 2, grid: grid, visible: 0.4, seed: 5), rounding: (1e-4, 2.5e-4, 5e-4))
    }

    @Test("coarser than the mask's grid, a map is visible everywhere")
    func coarseMaps() {
        let zeroed = times(input(channels: 3), Self.mask.voxels(in: Self.extent)).map { Float($0) }
        let w = randomTensor([3, 3, 3, 3, 4], seed: 12, on: cpu)
        let operations: [(Tensor) -> Tensor] = [
            { conv3D($0, weight: w, bias: nil, ConvGeometry(kernel: 3, stride: 8)) },
            { averagePool3D($0, kernel: 8, stride: 8) },
        ]
        let x = input(channels: 3).tracked()
        let y = Tensor(zeroed, shape: x.shape, on: cpu).tracked()
        for operation in operations {
            let (map, expected) = (operation(hide(x, Self.mask)), operation(y))
            #expect(map.visibility == nil)
            expectClose(map, expected.scalars.map(Double.init), shape: expected.shape, absolute: 1e-5)
            let dy = randomTensor(map.shape, seed: 14, on: cpu)
            let (masked, reference) = (
                Tensor.backward(from: [(map, dy)])[x]!, Tensor.backward(from: [(expected, dy)])[y]!
            )
            expectClose(
                masked, times(reference, Self.mask.voxels(in: Self.extent)), shape: x.shape, absolute: 1e-5)
        }
    }

    @Test(
        "windows within blocks and across them",
        arguments: [Extent3(2), Extent3(1), Extent3(3)], [Extent3(1), Extent3(2)])
    func pooling(kernel: Extent3, stride: Extent3) {
        let padding = Extent3(kernel.depth / 2 * (kernel.depth % 2))
        func pooled(_ x: Tensor) -> Tensor { averagePool3D(x, kernel: kernel, stride: stride, padding: padding) }
        let (x, seen) = (input(channels: 3).tracked(), Self.mask.voxels(in: Self.extent))
        let zeroed = Tensor(times(x, seen).map { Float($0) }, shape: x.shape, on: cpu).tracked()
        let (map, dense) = (pooled(hide(x, Self.mask)), pooled(zeroed))
        let voxels = map.visibility.map { $0.voxels(in: map.shape.extent) }
        let expected = voxels.map { times(dense, $0) } ?? dense.scalars.map(Double.init)
        expectClose(map, expected, shape: dense.shape, absolute: 1e-6)
        let dy = randomTensor(map.shape, seed: 14, on: cpu)
        let upstream = voxels.map { Tensor(times(dy, $0).map { Float($0) }, shape: dy.shape, on: cpu) } ?? dy
        let (masked, reference) = (
            Tensor.backward(from: [(map, dy)])[x]!, Tensor.backward(from: [(dense, upstream)])[zeroed]!
        )
        expectClose(masked, times(reference, seen), shape: x.shape, absolute: 1e-6)
    }

    @Test("a masked gradient of a dense map is zero where it is hidden")
    func maskedUpstream() {
        let x = input(channels: 2).tracked()
        let token = Tensor([3, -4], shape: [1, 1, 1, 1, 2], on: cpu).tracked()
        let dy = randomTensor(x.shape, seed: 14, on: cpu)
        let gradients = Tensor.backward(
            from: [(fillHidden(hide(x, Self.mask), token: token), hide(dy, Self.mask))])
        expectClose(gradients[token]!, [0, 0], shape: token.shape, absolute: 0)
        expectClose(gradients[x]!, times(dy, Self.mask.voxels(in: Self.extent)), shape: x.shape, absolute: 0)
    }

    @Test("sums, products and activations, element by element and over all")
    func elements() {
        func result(_ a: Tensor, _ b: Tensor) -> Tensor {
            leakyReLU(add(multiply(a, b), scale(a, by: 3)), slope: 0.1)
        }
        let (a, b) = (input(channels: 3).tracked(), randomTensor(input(channels: 3).shape, seed: 15, on: cpu))
        let seen = Self.mask.voxels(in: Self.extent)
        func zeroed(_ x: Tensor) -> Tensor {
            Tensor(times(x, seen).map { Float($0) }, shape: x.shape, on: cpu).tracked()
        }
        let (map, from) = (result(hide(a, Self.mask), hide(b, Self.mask)), zeroed(a))
        let dense = result(from, zeroed(b))
        // The sum first: who reads the map as a whole writes zeros where it is hidden.
        expectClose(sum(map), [Double(sum(dense).item)], shape: [], absolute: 1e-3)
        expectClose(map, dense.scalars.map(Double.init), shape: dense.shape, absolute: 0)
        #expect(result(hide(a, Self.mask), hide(b, Self.mask)).channelsFirst == dense.channelsFirst)
        // The second term adds two gradients of one map.
        let (masked, reference) = (sum(add(map, map)).backward()[a]!, sum(add(dense, dense)).backward()[from]!)
        expectClose(masked, times(reference, seen), shape: a.shape, absolute: 1e-6)
    }

    /// - Parameter rounding: of the output, of the gradient of the input, and of those of weight and bias.
    private func compareWithDense(
        _ geometry: ConvGeometry, channels: (Int, Int), mask: BlockMask, rounding: (Double, Double, Double)
    ) {
        let x = input(channels: channels.0).tracked()
        let w = randomTensor(Shape(geometry.kernel.dimensions + [channels.0, channels.1]), seed: 12, on: cpu).tracked()
        let b = randomTensor([channels.1], seed: 13, on: cpu).tracked()
        let y = conv3D(hide(x, mask), weight: w, bias: b, geometry)
        #expect(y.visibility == mask)

        let zeroed = Tensor(times(x, mask.voxels(in: Self.extent)).map { Float($0) }, shape: x.shape, on: cpu)
            .tracked()
        let dense = conv3D(zeroed, weight: w, bias: b, geometry)
        let seen = mask.voxels(in: dense.shape.extent)
        expectClose(y, times(dense, seen), shape: dense.shape, absolute: rounding.0)

        let dy = randomTensor(y.shape, seed: 14, on: cpu)
        let masked = Tensor.backward(from: [(y, hide(dy, mask))])
        let upstream = Tensor(times(dy, seen).map { Float($0) }, shape: y.shape, on: cpu)
        let reference = Tensor.backward(from: [(dense, upstream)])
        let visible = mask.voxels(in: Self.extent)
        expectClose(masked[x]!, times(reference[zeroed]!, visible), shape: x.shape, absolute: rounding.1)
        expectClose(masked[w]!, reference[w]!.scalars.map(Double.init), shape: w.shape, absolute: rounding.2)
        expectClose(masked[b]!, reference[b]!.scalars.map(Double.init), shape: b.shape, absolute: rounding.2)
    }

    @Test func normStatisticsAreThoseOfVisibleVoxels() {
        let y = instanceNorm(hide(input(channels: 3), Self.mask), weight: nil, bias: nil, epsilon: 1e-5)
        let (scalars, seen) = (y.scalars, Self.mask.voxels(in: Self.extent))
        for sample in 0..<2 {
            for c in 0..<3 {
                let values = (sample * Self.extent.volume..<(sample + 1) * Self.extent.volume)
                    .filter { seen[$0] == 1 }.map { Double(scalars[$0 * 3 + c]) }
                #expect(values.count == Self.mask.visibleCells(in: sample) * 4 * 4 * 4)
                let mean = values.reduce(0, +) / Double(values.count)
                let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
                #expect(abs(mean) < 1e-6)
                #expect(abs(variance - 1) < 1e-3)
            }
        }
        #expect(scalars.indices.allSatisfy { seen[$0 / 3] == 1 || scalars[$0] == 0 })
    }

    @Test("a norm and its gradients are those of a map of the visible voxels alone", arguments: [false, true])
    func normOfVisibleVoxels(hasResidual: Bool) {
        // Several pieces per sample, and as many voxels in each.
        let mask = BlockMask(samples: 2, grid: Self.mask.grid, visible: (0..<24).map { $0 % 12 % 2 == $0 / 12 })
        // More than 32: else the convolutions' results are computed again instead of kept.
        let (seen, channels) = (mask.voxels(in: Self.extent), 40)
        func visible(_ map: Tensor) -> [Float] {
            map.scalars.enumerated().filter { seen[$0.offset / channels] == 1 }.map(\.element)
        }
        let w = [12, 13, 15].map { randomTensor([1, 1, 1, channels, channels], seed: $0, on: cpu).tracked() }
        let affine = [16, 17].map { randomTensor([channels], seed: $0, on: cpu).tracked() }
        // The convolution's result is kept for the gradient of the norm, the norm's for that of the next convolution.
        func through(_ x: Tensor) -> Tensor {
            let point = ConvGeometry(kernel: 1)
            let residual = hasResidual ? conv3D(x, weight: w[2], bias: nil, point) : nil
            let normed = instanceNorm(
                conv3D(x, weight: w[0], bias: nil, point), weight: affine[0], bias: affine[1], epsilon: 1e-5,
                slope: 0.1, residual: residual)
            return conv3D(normed, weight: w[1], bias: nil, point)
        }
        let x = input(channels: channels).tracked()
        let packed = Tensor(
            visible(x), shape: [2, 1, 1, seen.count { $0 == 1 } / 2, channels], on: cpu
        ).tracked()
        let (y, expected) = (through(hide(x, mask)), through(packed))
        expectClose(
            Tensor(visible(y), shape: packed.shape, on: cpu), expected.scalars.map(Double.init), shape: packed.shape,
            absolute: 1e-4)
        let dy = randomTensor(y.shape, seed: 14, on: cpu)
        let actual = Tensor.backward(from: [(y, hide(dy, mask))])
        let reference = Tensor.backward(
            from: [(expected, Tensor(visible(dy), shape: packed.shape, on: cpu))])
        expectClose(
            Tensor(visible(actual[x]!), shape: packed.shape, on: cpu), reference[packed]!.scalars.map(Double.init),
            shape: packed.shape, absolute: 1e-4)
        for parameter in w.prefix(hasResidual ? 3 : 2) + affine {
            expectClose(
                actual[parameter]!, reference[parameter]!.scalars.map(Double.init), shape: parameter.shape,
                absolute: 1e-3)
        }
    }

    @Test("what lies in hidden voxels changes nothing, bit for bit")
    func hiddenValuesDoNotMatter() {
        let x = input(channels: 2)
        let seen = Self.mask.voxels(in: Self.extent)
        let other = x.scalars.enumerated().map { seen[$0 / 2] == 1 ? $1 : 1e6 }
        func run(_ x: Tensor) -> [Float] {
            let w = randomTensor([3, 3, 3, 2, 6], seed: 3, on: cpu)
            let h = instanceNorm(
                conv3D(hide(x, Self.mask), weight: w, bias: nil, ConvGeometry(kernel: 3)), weight: nil, bias: nil,
                epsilon: 1e-5, slope: 0.01)
            return averagePool3D(h, kernel: 2, stride: 2).scalars
        }
        #expect(run(x) == run(Tensor(other, shape: x.shape, on: cpu)))
    }

    @Test func tokensFillHiddenVoxels() {
        let x = input(channels: 2).tracked()
        let token = Tensor([3, -4], shape: [1, 1, 1, 1, 2], on: cpu).tracked()
        let y = fillHidden(hide(x, Self.mask), token: token)
        let seen = Self.mask.voxels(in: Self.extent)
        let expected = x.scalars.enumerated().map { Double(seen[$0 / 2] == 1 ? $1 : [3, -4][$0 % 2]) }
        expectClose(y, expected, shape: x.shape, absolute: 0)
        #expect(y.visibility == nil)
        let gradients = sum(y).backward()
        expectClose(gradients[x]!, seen.flatMap { [Double($0), Double($0)] }, shape: x.shape, absolute: 0)
        let hidden = Double(seen.count { $0 == 0 })
        expectClose(gradients[token]!, [hidden, hidden], shape: token.shape, absolute: 0)
    }
}
