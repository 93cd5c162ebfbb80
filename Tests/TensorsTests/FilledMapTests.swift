import Tensors
import Testing

/// Inside hidden blocks a filled map is the same again and again. What is computed once of that is compared with the same
/// operations on the same numbers of which nothing is known.
struct FilledMapTests {
    /// Maps, of which more than a few hundred cubes of outputs repeat, and their kernels.
    struct Case: CustomStringConvertible, Sendable {
        var extent: Extent3
        var grid: Extent3
        var kernel: Extent3 = 3
        /// Per sample.
        var visible: [[Int]]
        var description: String { "\(extent) in \(grid) cells, kernel \(kernel), \(visible) visible" }

        var mask: BlockMask {
            BlockMask(
                samples: visible.count, grid: grid,
                visible: visible.flatMap { seen in (0..<grid.volume).map(seen.contains) })
        }
    }

    static let cases = [
        Case(extent: Extent3(depth: 32, height: 48, width: 40), grid: 2, visible: [[1, 6], [3]]),
        // Cubes stick out of the map.
        Case(extent: Extent3(depth: 45, height: 42, width: 30), grid: 3, visible: [[0, 4, 13, 26]]),
        // Almost nothing of the second sample is hidden, all of the third.
        Case(
            extent: Extent3(depth: 24, height: 48, width: 48), grid: Extent3(depth: 1, height: 2, width: 3),
            visible: [[2], [0, 1, 2, 3, 4], []]),
        Case(
            extent: Extent3(depth: 6, height: 64, width: 64), grid: Extent3(depth: 2, height: 4, width: 4),
            kernel: Extent3(depth: 1, height: 3, width: 3), visible: [[0, 5, 21, 31]]),
    ]

    /// The layers above a filled map of 32 channels.
    struct Layers {
        var weights: [Tensor]
        var biases: [Tensor]
        var below: Tensor
        let geometry: ConvGeometry

        init(_ test: Case, on cpu: CPU) {
            geometry = ConvGeometry(kernel: test.kernel)
            let kernel = test.kernel.dimensions
            // Neither 33 outputs nor 35 inputs before the filled ones fill up vectors.
            weights = [kernel + [32, 33], [1, 2, 2, 35, 3], kernel + [68, 32], kernel + [67, 32]].enumerated().map {
                randomTensor(Shape($1), seed: 20 + UInt64($0), on: cpu).tracked()
            }
            biases = [33, 35, 32, 32].enumerated().map {
                randomTensor([$1], seed: 30 + UInt64($0), on: cpu).tracked()
            }
            let extent = test.extent.zipped(with: Extent3(depth: 1, height: 2, width: 2), /)
            below = randomTensor(
                Shape(samples: test.visible.count, extent: extent, channels: 3), seed: 40, on: cpu
            ).tracked()
        }

        /// A convolution of the map; one of what that is joined to; and one of what the map itself is joined to.
        func callAsFunction(_ map: Tensor) -> [Tensor] {
            func joined(_ skip: Tensor) -> Tensor {
                let stride = Extent3(depth: 1, height: 2, width: 2)
                return convTranspose3D(
                    below, weight: weights[1], bias: biases[1],
                    ConvGeometry(kernel: stride, stride: stride, padding: 0), joining: skip)
            }
            let spread = conv3D(map, weight: weights[0], bias: biases[0], geometry)
            return [
                spread, conv3D(joined(spread), weight: weights[2], bias: biases[2], geometry),
                conv3D(joined(map), weight: weights[3], bias: biases[3], geometry),
            ]
        }
    }

    private func map(_ test: Case, on cpu: CPU) -> (x: Tensor, token: Tensor) {
        let shape = Shape(samples: test.visible.count, extent: test.extent, channels: 32)
        return (randomTensor(shape, seed: 11, on: cpu).tracked(), randomTensor([32], seed: 12, on: cpu).tracked())
    }

    @Test("outputs and gradients are those of unknown maps", arguments: cases)
    func agreesWithUnknown(test: Case) { compareWithUnknown(test, on: CPU(threads: 2, unwritten: .nan)) }

    @Test("on every family of processors, in every precision", arguments: KernelSet.supported, Precision.allCases)
    func agreesWithUnknown(kernels: KernelSet, precision: Precision) {
        let cpu = CPU(threads: 2, kernels: kernels, precision: precision, unwritten: .nan)
        compareWithUnknown(Self.cases[0], on: cpu)
    }

    private func compareWithUnknown(_ test: Case, on cpu: CPU) {
        let layers = Layers(test, on: cpu)
        compareWithUnknown(test, on: cpu, layers.weights + layers.biases + [layers.below]) { layers($0) }
    }

    @Test(
        "a convolution before hands on what stays true, if anything",
        arguments: [
            ConvGeometry(kernel: 3), ConvGeometry(kernel: 5), ConvGeometry(kernel: 3, dilation: 2),
            ConvGeometry(kernel: 2, padding: 1, dilation: 2), ConvGeometry(kernel: 3, padding: 0),
            ConvGeometry(kernel: 3, padding: 7), ConvGeometry(kernel: 2, padding: 1),
            ConvGeometry(kernel: 3, stride: 2),
        ])
    func convolutionBefore(geometry: ConvGeometry) {
        let cpu = CPU(threads: 2, unwritten: .nan)
        let extent = Extent3(depth: 24, height: 48, width: 48).zipped(with: geometry.stride, *)
        let weights = [geometry.kernel, 3, 3].enumerated().map { index, kernel in
            randomTensor(Shape(kernel.dimensions + [32, 32]), seed: 20 + UInt64(index), on: cpu).tracked()
        }
        compareWithUnknown(Case(extent: extent, grid: 2, visible: [[0]]), on: cpu, weights) { map in
            var map = map
            for (weight, geometry) in zip(weights, [geometry, ConvGeometry(kernel: 3), ConvGeometry(kernel: 3)]) {
                map = conv3D(map, weight: weight, bias: nil, geometry)
            }
            return [map]
        }
    }

    private func compareWithUnknown(
        _ test: Case, on cpu: CPU, _ parameters: [Tensor], _ layers: (Tensor) -> [Tensor]
    ) {
        let (x, token) = map(test, on: cpu)
        let filled = fillHidden(hide(x, test.mask), token: token)
        let unknown = Tensor(filled.scalars, shape: filled.shape, on: cpu).tracked()
        let (actual, expected) = (layers(filled), layers(unknown))
        let upstream = actual.enumerated().map { randomTensor($1.shape, seed: 50 + UInt64($0), on: cpu) }
        for (actual, expected) in zip(actual, expected) { expectSame(actual, expected) }
        let found = Tensor.backward(from: Array(zip(actual, upstream)))
        let reference = Tensor.backward(from: Array(zip(expected, upstream)))
        for parameter in parameters { expectSame(found[parameter]!, reference[parameter]!) }
        let (everywhere, seen) = (reference[unknown]!, test.mask.voxels(in: test.extent))
        let visible = everywhere.scalars.enumerated().map { $1 * seen[$0 / 32] }
        expectSame(found[x]!, Tensor(visible, shape: x.shape, on: cpu))
        // Rounding errors that equal voxels share add up.
        expectSame(found[token]!, hiddenSums(everywhere, test), rounding: 1e-4)
    }

    /// The sum over the hidden voxels for each channel.
    private func hiddenSums(_ map: Tensor, _ test: Case) -> Tensor {
        let seen = test.mask.voxels(in: test.extent)
        var sums = [Double](repeating: 0, count: 32)
        for (index, number) in map.scalars.enumerated() where seen[index / 32] == 0 {
            sums[index % 32] += Double(number)
        }
        return Tensor(sums.map(Float.init), shape: [32], on: map.cpu)
    }

    /// Up to the rounding of sums in another order.
    private func expectSame(
        _ actual: Tensor, _ expected: Tensor, rounding: Double = 1e-5, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let scale = Double(expected.scalars.map(abs).max() ?? 0)
        expectClose(
            actual, expected.scalars.map(Double.init), shape: expected.shape, absolute: rounding * scale,
            sourceLocation: sourceLocation)
    }

    @Test("neither threads nor the other samples change a bit, nor does computing again", arguments: cases)
    func sameBits(test: Case) {
        func run(threads: Int, sample: Int? = nil, again: Bool = false) -> [[Float]] {
            let cpu = CPU(threads: threads, unwritten: .nan)
            var (layers, (x, token)) = (Layers(test, on: cpu), map(test, on: cpu))
            func part(_ batch: Tensor) -> Tensor {
                sample.map { slice(batch.detached, axis: 0, $0..<$0 + 1) } ?? batch
            }
            (x, layers.below) = (part(x).tracked(), part(layers.below).tracked())
            let filled = fillHidden(hide(x, sample.map(test.mask.sample) ?? test.mask), token: token)
            let results =
                again
                ? recomputed([filled], parameters: []) { maps, _ in layers(maps[0]) }
                : layers(filled)
            let upstream = results.enumerated().map { index, result in
                let shape = Shape([test.visible.count] + result.shape.dimensions.dropFirst())
                return part(randomTensor(shape, seed: 50 + UInt64(index), on: cpu))
            }
            let gradients = Tensor.backward(from: Array(zip(results, upstream)))
            // Those of what a sample has for itself, and for all samples the token's.
            return results.map(\.scalars) + [gradients[x]!.scalars]
                + (again ? [] : [gradients[layers.below]!.scalars])
                + (sample == nil ? [gradients[token]!.scalars] : [])
        }
        // Compared outside of #expect, which would look for the difference of long arrays for hours.
        func expectSameBits(_ one: [Float], _ other: some Collection<Float>, _ comment: Comment) {
            let same = one.elementsEqual(other)
            #expect(same, comment)
        }
        let expected = run(threads: 1)
        for (found, expected) in zip(run(threads: 3), expected) { expectSameBits(found, expected, "threads") }
        let again = run(threads: 2, again: true)
        for (found, expected) in zip(again, expected[..<4] + expected[5...]) {
            expectSameBits(found, expected, "computed again")
        }
        for sample in test.visible.indices {
            for (alone, batch) in zip(run(threads: 2, sample: sample), expected) {
                expectSameBits(
                    alone, batch[(alone.count * sample)..<(alone.count * (sample + 1))], "sample \(sample)")
            }
        }
    }

    @Test("the gradient of equal voxels may be given at one, but not to whoever tracks the map")
    func gradientsOfEqualVoxels() {
        let cpu = CPU(threads: 2, unwritten: .nan)
        let test = Self.cases[0]
        let (layers, (x, token)) = (Layers(test, on: cpu), map(test, on: cpu))
        let filled = fillHidden(hide(x.detached, test.mask), token: token.detached)
        let unknown = Tensor(filled.scalars, shape: filled.shape, on: cpu)
        let gradients = [filled.trackedAsFilled(), filled.tracked(), unknown.tracked()].map { map in
            let y = layers(map)[0]
            return Tensor.backward(from: [(y, randomTensor(y.shape, seed: 50, on: cpu))])[map]!
        }
        let (isCollected, isWhole) = (
            gradients[0].scalars != gradients[2].scalars, gradients[1].scalars == gradients[2].scalars
        )
        #expect(isCollected && isWhole)
        expectSame(hiddenSums(gradients[0], test), hiddenSums(gradients[2], test), rounding: 1e-4)
    }
}
