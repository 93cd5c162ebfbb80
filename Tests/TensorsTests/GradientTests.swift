import Foundation
import Tensors
import Testing

/// Every differentiable operation against central differences along random directions.
struct GradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let shapes: [Shape]
        let function: @Sendable ([Tensor]) -> Tensor
        var testDescription: String { name }

        init(_ name: String, _ shapes: [Shape], _ function: @escaping @Sendable ([Tensor]) -> Tensor) {
            (self.name, self.shapes, self.function) = (name, shapes, function)
        }
    }

    static let map: Shape = [2, 4, 3, 6, 4]
    static let labels = LabelMap(
        samples: 2, extent: Extent3(depth: 4, height: 3, width: 6), labels: (0..<144).map { Int32($0 * 7 % 4) })
    static let nested = Regions([[1, 2, 3], [2, 3], [3], [0]])
    static let mask = BlockMask(
        samples: 2, grid: Extent3(depth: 2, height: 1, width: 2),
        visible: [true, false, false, true, false, true, true, true])
    static let uneven = ConvGeometry(
        kernel: Extent3(depth: 2, height: 1, width: 3), stride: Extent3(depth: 1, height: 2, width: 2),
        padding: Extent3(depth: 1, height: 0, width: 2), dilation: Extent3(depth: 2, height: 1, width: 1))

    static let blocks = Extent3(depth: 1, height: 2, width: 2)

    private static func teacher(_ cpu: CPU) -> Tensor {
        Tensor((0..<576).map { Float($0 * 11 % 23) / 8 - 1 }, shape: map, on: cpu)
    }

    static let cases: [Case] = [
        Case("conv3D", [map, [2, 1, 3, 4, 5], [5]]) { conv3D($0[0], weight: $0[1], bias: $0[2], uneven) },
        Case("conv3D masked", [map, [3, 3, 3, 4, 5], [5]]) {
            conv3D(hide($0[0], mask), weight: $0[1], bias: $0[2], ConvGeometry(kernel: 3))
        },
        Case("convTranspose3D", [map, [2, 1, 3, 5, 4], [5]]) {
            convTranspose3D($0[0], weight: $0[1], bias: $0[2], uneven)
        },
        Case("convTranspose3D joining", [map, [1, 2, 2, 5, 4], [5], [2, 4, 6, 12, 3]]) {
            convTranspose3D(
                $0[0], weight: $0[1], bias: $0[2],
                ConvGeometry(kernel: blocks, stride: blocks, padding: 0), joining: $0[3])
        },
        Case("linear", [[3, 4], [1, 1, 1, 4, 5], [5]]) { linear($0[0], weight: $0[1], bias: $0[2]) },
        Case("instanceNorm", [map, [4], [4], map]) {
            instanceNorm($0[0], weight: $0[1], bias: $0[2], epsilon: 1e-3, slope: 1, residual: $0[3])
        },
        Case("instanceNorm activated", [map, [4], [4], map]) {
            instanceNorm($0[0], weight: $0[1], bias: $0[2], epsilon: 1e-3, slope: 0.5, residual: $0[3])
        },
        Case("instanceNorm masked", [map, [4], [4]]) {
            instanceNorm(hide($0[0], mask), weight: $0[1], bias: $0[2], epsilon: 1e-3, slope: 1)
        },
        Case("groupNorm", [map, [4], [4]]) { groupNorm($0[0], groups: 2, weight: $0[1], bias: $0[2], epsilon: 1e-3) },
        Case("batchNorm", [map, [4], [4]]) {
            var running = RunningStatistics(mean: [0, 0, 0, 0], variance: [1, 1, 1, 1])
            return batchNorm(
                $0[0], weight: $0[1], bias: $0[2], running: &running, momentum: 0.1, epsilon: 1e-3, in: .training)
        },
        Case("add", [map, map]) { add($0[0], $0[1]) },
        Case("multiply", [map, map]) { multiply($0[0], $0[1]) },
        Case("scale", [map]) { scale($0[0], by: -2.5) },
        Case("leakyReLU", [map]) { leakyReLU($0[0], slope: 0.1) },
        Case("relu", [map]) { relu($0[0]) },
        Case("sigmoid", [map]) { sigmoid($0[0]) },
        Case("softmax", [map]) { softmax($0[0]) },
        Case("sum", [map]) { sum($0[0]) },
        Case("mean", [map]) { mean($0[0]) },
        Case("spatialSums", [map]) { spatialSums($0[0]) },
        Case("averagePool3D", [map]) {
            averagePool3D($0[0], kernel: 2, stride: Extent3(depth: 1, height: 2, width: 2), padding: 1)
        },
        Case("averagePool3D overlapping", [map]) {
            averagePool3D(
                $0[0], kernel: Extent3(depth: 3, height: 2, width: 1), stride: Extent3(depth: 2, height: 1, width: 1),
                padding: Extent3(depth: 1, height: 0, width: 0))
        },
        Case("averagePool3D masked", [map]) {
            averagePool3D(
                hide($0[0], mask), kernel: Extent3(depth: 2, height: 1, width: 1),
                stride: Extent3(depth: 2, height: 1, width: 1))
        },
        Case("maxPool3D", [map]) { maxPool3D($0[0], kernel: 2, stride: 1, padding: 1) },
        Case("upsample", [map]) {
            upsample($0[0], to: Extent3(depth: 7, height: 3, width: 5), mode: .trilinear(alignCorners: false))
        },
        Case("upsample nearest", [map]) { upsample($0[0], to: 5, mode: .nearest) },
        Case("concatenate", [map, [2, 4, 3, 6, 1]]) { concatenate($0) },
        Case("concatenate samples", [[2, 5], [3, 5]]) { concatenate($0, axis: 0) },
        Case("concatenate rows", [[2, 1, 5], [2, 3, 5]]) { concatenate($0, axis: 1) },
        Case("slice", [map]) { slice($0[0], axis: 2, 1..<3) },
        Case("slice samples", [map]) { slice($0[0], axis: 0, 1..<2) },
        Case("slice channels", [map]) { slice($0[0], axis: 4, 0..<3) },
        Case("subtract", [map, map]) { subtract($0[0], $0[1]) },
        Case("pointwise", [map]) { pointwise($0[0], { exp(2 * $0) }, derivative: { 2 * exp(2 * $0) }) },
        Case("rowProducts", [[3, 11], [5, 11]]) { rowProducts($0[0], $0[1]) },
        Case("unitRows", [[3, 11]]) { unitRows($0[0]) },
        Case("sampleLinearly", [map, [2, 2, 3, 2, 3]]) {
            // Places all over the map and a little beyond its faces, apart from the kinks at whole numbers.
            let shift = Tensor((0..<72).map { Float($0 * 5 % 14) / 2 - 1.25 }, shape: [2, 2, 3, 2, 3], on: $0[0].cpu)
            return sampleLinearly($0[0], at: add(scale($0[1], by: 0.2), shift))
        },
        Case("hide", [map]) { hide($0[0], mask) },
        Case("fillHidden", [map, [4]]) { fillHidden(hide($0[0], mask), token: $0[1]) },
        Case("crossEntropy", [map]) { crossEntropy($0[0], labels: labels, classWeights: [1, 2, 0.5, 1], ignoring: 3) },
        Case("focalCrossEntropy", [map]) {
            focalCrossEntropy($0[0], labels: labels, gamma: 1.5, classWeights: [1, 2, 0.5, 1], ignoring: 3)
        },
        Case("hardestCrossEntropy", [map]) { hardestCrossEntropy($0[0], labels: labels, .count(60)) },
        Case("hardestCrossEntropy uncertain", [map]) {
            hardestCrossEntropy($0[0], labels: labels, .uncertain(below: 0.2, atLeast: 4), ignoring: 2)
        },
        Case("binaryCrossEntropy", [map]) {
            binaryCrossEntropy($0[0], labels: labels, regions: nested, ignoring: 3)
        },
        Case("regionDice", [map]) {
            regionDice($0[0], labels: labels, regions: nested, batchDice: false, smooth: 1e-5, ignoring: 2)
        },
        Case("tversky", [map]) {
            tversky(
                $0[0], labels: labels, falsePositives: 0.7, falseNegatives: 0.3, batch: false, includeBackground: false,
                smooth: 1e-5, ignoring: 1)
        },
        Case("regionFocal", [map]) {
            regionFocal($0[0], labels: labels, beta: 100, gamma: 40, includeBackground: true, ignoring: 2)
        },
        Case("softDice", [map]) {
            softDice($0[0], labels: labels, batchDice: false, includeBackground: false, smooth: 1e-5, ignoring: 2)
        },
        Case("softDice batch", [map]) {
            softDice($0[0], labels: labels, batchDice: true, includeBackground: true, smooth: 1)
        },
        Case("squaredError", [map]) { squaredError($0[0], target: Tensor(filledWith: 0.3, shape: map, on: $0[0].cpu)) },
        Case("squaredError weighted", [map]) {
            let weights = Tensor((0..<144).map { Float($0 % 3) }, shape: [2, 4, 3, 6, 1], on: $0[0].cpu)
            return squaredError(
                $0[0], target: Tensor(filledWith: 0.3, shape: map, on: $0[0].cpu), weights: weights)
        },
        Case("absoluteError", [map]) {
            let weights = Tensor((0..<144).map { Float($0 % 3) }, shape: [2, 4, 3, 6, 1], on: $0[0].cpu)
            return absoluteError($0[0], target: Tensor(zeros: map, on: $0[0].cpu), weights: weights)
        },
        Case("distillation", [map]) { distillation($0[0], target: softmax(teacher($0[0].cpu)), temperature: 2) },
        Case("distillation of regions", [map]) {
            distillation($0[0], target: sigmoid(teacher($0[0].cpu)), temperature: 3, areRegions: true)
        },
        Case("ntXent", [[3, 5], [3, 5]]) { ntXent($0[0], $0[1], temperature: 0.5) },
        Case("infoNCE", [[3, 5], [3, 5]]) {
            infoNCE(queries: $0[0], keys: $0[1], temperature: 0.5, symmetric: true)
        },
        Case("rowCrossEntropy", [[4, 3]]) { rowCrossEntropy($0[0], targets: [2, 0, 0, 1]) },
        Case("hiddenSquaredError", [map]) {
            hiddenSquaredError($0[0], target: Tensor(filledWith: 0.3, shape: map, on: $0[0].cpu), mask: mask)
        },
    ]

    /// Odd multiples of a grain, shuffled: a step smaller than the grain crosses no kink and no tie of a maximum.
    private static func inputs(of test: Case, on cpu: CPU) -> [Tensor] {
        test.shapes.enumerated().map { index, shape in
            var draws = Draws(seed: 21, purpose: "gradients", sample: index)
            let grain = 2.5 / Float(max(50, shape.count))
            let values = draws.permutation(of: shape.count).map { (Float($0) - Float(shape.count) / 2 + 0.5) * grain }
            return Tensor(values, shape: shape, on: cpu)
        }
    }

    private static func upstream(of output: Tensor) -> Tensor {
        let dense = randomTensor(output.shape, seed: 22, on: output.cpu)
        return output.visibility.map { hide(dense, $0) } ?? dense
    }

    /// Where nobody else holds a map, its memory is used up for gradients, or it is gone and computed again.
    @Test("gradients have the same bits whether maps are held or let go", arguments: cases)
    func memoryDoesNotMatter(test: Case) {
        let leaves = Self.inputs(of: test, on: CPU(threads: 2)).map { $0.tracked() }
        func gradients(holding: Bool) -> [[Float]?] {
            var held: [Tensor] = []
            func end() -> Tensor {
                let maps = leaves.map { leakyReLU(scale($0, by: 1.5), slope: 0.5) }
                let output = test.function(maps)
                if holding { held = maps + [output] }
                return scale(output, by: 0.75)
            }
            let output = end()
            let gradients = Tensor.backward(from: [(output, Self.upstream(of: output))])
            return withExtendedLifetime(held) { leaves.map { gradients[$0]?.scalars } }
        }
        let held = gradients(holding: true)
        #expect(held.allSatisfy { $0 != nil } && gradients(holding: false) == held)
    }

    @Test(arguments: cases)
    func matchesCentralDifferences(test: Case) {
        let cpu = CPU(threads: 2)
        let inputs = Self.inputs(of: test, on: cpu)
        let tracked = inputs.map { $0.tracked() }
        let output = test.function(tracked)
        let upstream = Self.upstream(of: output)
        let gradients = Tensor.backward(from: [(output, upstream)])
        func loss(_ inputs: [Tensor]) -> Double {
            zip(test.function(inputs).scalars, upstream.scalars).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        for (index, input) in inputs.enumerated() {
            guard let gradient = gradients[tracked[index]] else {
                Issue.record("input \(index) got no gradient")
                continue
            }
            for trial in 0..<3 {
                let direction = randomScalars(input.shape.count, seed: 23, sample: trial)
                let step: Float = 1.0 / 1024  // directions reach 1: less than half a grain
                func moved(_ sign: Float) -> [Tensor] {
                    var all = inputs
                    let scalars = zip(input.scalars, direction).map { $0 + sign * step * $1 }
                    all[index] = Tensor(scalars, shape: input.shape, on: cpu)
                    return all
                }
                let numeric = (loss(moved(1)) - loss(moved(-1))) / (2 * Double(step))
                let analytic = zip(gradient.scalars, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                let size = zip(gradient.scalars, direction).reduce(0) { $0 + abs(Double($1.0) * Double($1.1)) }
                #expect(abs(numeric - analytic) <= 2e-3 * size + 1e-4, "input \(index): \(numeric) against \(analytic)")
            }
        }
    }

    @Test("every public operation has an entry in the table")
    func tableIsComplete() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Tensors")
        let names = try ["Operations", "Losses"].flatMap { folder in
            try FileManager.default.contentsOfDirectory(
                at: sources.appending(path: folder), includingPropertiesForKeys: nil)
        }.flatMap { file in
            try String(contentsOf: file, encoding: .utf8).matches(of: /(?m)^public func (\w+)\(/).map { String($0.1) }
        }
        #expect(names.count > 15)
        let covered = Set(Self.cases.map { String($0.name.prefix { $0 != " " }) })
        #expect(Set(names).subtracting(covered) == [])
    }
}
