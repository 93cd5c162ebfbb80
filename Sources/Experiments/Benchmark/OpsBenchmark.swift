import Foundation
import Tensors

/// Times the convolutions of ResEnc-L, as S3D trains it, one by one, dense and with hidden blocks, against what the
/// processor's multipliers can do.
public struct OpsBenchmark: Sendable {
    /// One convolution in one pass.
    public struct Row: Codable, Sendable {
        /// For example `conv 3x3x3 /2`.
        public var operation: String
        /// `forward`, `input gradient` or `weight gradient`.
        public var pass: String
        /// Input extent and channels, for example `96x96x96 32>32`.
        public var shape: String
        /// The share of blocks that are visible.
        public var visible: Double
        /// Median over the runs.
        public var seconds: Double
        /// Billions of multiplications and additions that the definition takes for the voxels that are computed (the encoder's
        /// visible ones, all others' all), per second.
        public var gflops: Double
        /// Of the peak that the same kernels reach on registers alone. Above 1 where an algorithm multiplies less than
        /// the definition.
        public var shareOfPeak: Double

        enum CodingKeys: String, CodingKey {
            case operation, pass, shape, visible, seconds, gflops
            case shareOfPeak = "share_of_peak"
        }
    }

    /// Edge of the cubic patch in voxels; a multiple of 32.
    public var patchEdge = 96
    /// Shares of visible blocks.
    public var visibleShares = [1, 0.5, 0.25, 0.1]
    /// Timed runs after one that is not.
    public var runs = 3

    /// A benchmark with the defaults of the step benchmarks.
    public init() {}

    /// Times every operation on `cpu` and hands over one row after the other.
    public func run(on cpu: CPU, _ report: (Row) throws -> Void) rethrows {
        let peak = cpu.peakGFlops()
        for layer in layers {
            for share in visibleShares where layer.occurs(at: share) {
                for (pass, seconds, work) in time(layer, share, on: cpu) {
                    let speed = work / seconds / 1e9
                    try report(
                        Row(
                            operation: layer.name, pass: pass, shape: layer.shape, visible: share, seconds: seconds,
                            gflops: speed, shareOfPeak: speed / peak))
                }
            }
        }
    }

    private struct Layer {
        var name: String
        var extent: Extent3
        var inputs: Int
        var outputs: Int
        var geometry: ConvGeometry
        var isTransposed = false
        var hidden = Hidden.none
        var shape: String { "\(extent) \(inputs)>\(outputs)" }

        func occurs(at visible: Double) -> Bool { visible == 1 ? name != Self.densify : hidden != .none }

        /// At full visibility it is the encoder's convolution.
        static let densify = "conv 3x3x3 densify"
    }

    /// What a layer meets where blocks are hidden.
    private enum Hidden {
        /// Never any.
        case none
        /// They are skipped: the encoder.
        case skipped
        /// They are filled: what makes the encoder's maps dense.
        case filled
        /// Those of the skip connection, the second half of the channels, are filled: the decoder.
        case filledSkip
    }

    /// The stages of ResEnc-L: their convolutions, the strided one into them, and the decoder's back out of them.
    private var layers: [Layer] {
        let features = [32, 64, 128, 256, 320, 320]
        return features.indices.flatMap { stage in
            let extent = Extent3(patchEdge >> stage), c = features[stage]
            var layers = [
                Layer(
                    name: "conv 3x3x3", extent: extent, inputs: c, outputs: c, geometry: ConvGeometry(kernel: 3),
                    hidden: .skipped)
            ]
            if stage > 0 {
                let finer = Extent3(patchEdge >> (stage - 1)), f = features[stage - 1]
                layers += [
                    Layer(
                        name: "conv 3x3x3 /2", extent: finer, inputs: f, outputs: c,
                        geometry: ConvGeometry(kernel: 3, stride: 2), hidden: .skipped),
                    Layer(
                        name: "conv 1x1x1", extent: extent, inputs: f, outputs: c, geometry: ConvGeometry(kernel: 1),
                        hidden: .skipped),
                    Layer(
                        name: Layer.densify, extent: extent, inputs: c, outputs: c, geometry: ConvGeometry(kernel: 3),
                        hidden: .filled),
                    Layer(
                        name: "transposed 2x2x2", extent: extent, inputs: c, outputs: f,
                        geometry: ConvGeometry(kernel: 2, stride: 2, padding: 0), isTransposed: true),
                    Layer(
                        name: "conv 3x3x3", extent: finer, inputs: 2 * f, outputs: f,
                        geometry: ConvGeometry(kernel: 3), hidden: .filledSkip),
                ]
            } else {
                layers.insert(
                    Layer(
                        name: "conv 3x3x3", extent: extent, inputs: 1, outputs: c, geometry: ConvGeometry(kernel: 3),
                        hidden: .skipped), at: 0)
            }
            return layers
        }
    }

    private func time(_ layer: Layer, _ share: Double, on cpu: CPU) -> [(pass: String, seconds: Double, work: Double)] {
        let kernel = layer.geometry.kernel.dimensions
        let x = input(of: layer, share, on: cpu)
        let channels = layer.isTransposed ? [layer.outputs, layer.inputs] : [layer.inputs, layer.outputs]
        let weight = noise(Shape(kernel + channels), on: cpu)
        func convolved(_ x: Tensor, _ weight: Tensor) -> Tensor {
            layer.isTransposed
                ? convTranspose3D(x, weight: weight, bias: nil, layer.geometry)
                : conv3D(x, weight: weight, bias: nil, layer.geometry)
        }
        let y = convolved(x, weight)
        let upstream = noise(y.shape, on: cpu)
        // Every input voxel of a transposed convolution meets every tap, and every output voxel of any other one.
        let voxels = Double((layer.isTransposed ? layer.extent : y.shape.extent).volume)
        let work = 2 * voxels * Double(kernel.reduce(1, *) * layer.inputs * layer.outputs) * visibleShare(of: y)
        var passes = [("forward", median { _ = convolved(x, weight) }, work)]
        for (pass, x, weight) in [
            ("input gradient", x.trackedAsFilled(), weight), ("weight gradient", x, weight.tracked()),
        ] where layer.inputs > 1 || pass != "input gradient" {
            let seconds = median(
                preparing: { convolved(x, weight) }, { _ = Tensor.backward(from: [($0, upstream)]) })
            passes.append((pass, seconds, work))
        }
        return passes
    }

    private func input(of layer: Layer, _ share: Double, on cpu: CPU) -> Tensor {
        func map(_ channels: Int) -> Tensor {
            noise(Shape(samples: 1, extent: layer.extent, channels: channels), on: cpu)
        }
        guard share < 1 else { return map(layer.inputs) }
        let mask = BlockMask.random(grid: Extent3(patchEdge / 32), visibleShare: share)
        func filled(_ channels: Int) -> Tensor {
            fillHidden(hide(map(channels), mask), token: noise([channels], on: cpu))
        }
        switch layer.hidden {
        case .none: return map(layer.inputs)
        case .skipped: return hide(map(layer.inputs), mask)
        case .filled: return filled(layer.inputs)
        case .filledSkip:
            let half = layer.inputs / 2
            return convTranspose3D(
                map(1), weight: noise([1, 1, 1, half, 1], on: cpu), bias: nil, ConvGeometry(kernel: 1),
                joining: filled(half))
        }
    }

    private func median<Input>(preparing prepare: () -> Input, _ body: (Input) -> Void) -> Double {
        let seconds = (0...runs).map { _ in
            let input = prepare()
            let start = ContinuousClock.now
            body(input)
            return (ContinuousClock.now - start) / .seconds(1)
        }
        return seconds.dropFirst().sorted()[runs / 2]
    }

    private func median(_ body: () -> Void) -> Double { median(preparing: {}, { _ in body() }) }

    private func visibleShare(of y: Tensor) -> Double {
        y.visibility.map { Double($0.visibleCells(in: 0)) / Double($0.grid.volume) } ?? 1
    }

    private func noise(_ shape: Shape, on cpu: CPU) -> Tensor {
        // Sixty-four thousand different numbers are enough: a benchmark should not wait for random ones.
        var draws = Draws(seed: 0, purpose: "benchmark operands")
        let numbers = (0..<65_521).map { _ in Float(draws.uniform() - 0.5) }
        return Tensor((0..<shape.count).map { numbers[$0 % numbers.count] }, shape: shape, on: cpu)
    }
}
