import Foundation
import Tensors
import Testing
import Training
import WeightFiles

struct OptimizerTests {
    static func parameters(_ count: Int, threads: Int = 2) -> [(name: String, parameter: Parameter)] {
        let cpu = CPU(threads: threads)
        var draws = Draws(seed: 1, purpose: "optimizer tests")
        func parameter(_ shape: Shape, _ layout: Parameter.Layout) -> Parameter {
            Parameter(
                pytorchShape: shape, layout: layout, scalars: (0..<shape.count).map { _ in Float(draws.normal()) },
                on: cpu)
        }
        return [("a", parameter([count], .plain)), ("conv", parameter([4, 3, 1, 3, 3], .convolution))]
    }

    static func gradients(_ parameters: [(name: String, parameter: Parameter)], step: Int) -> Gradients {
        var draws = Draws(seed: 2, purpose: "optimizer tests", step: step)
        return Tensor.backward(
            from: parameters.map { _, parameter in
                let value = parameter.value
                let upstream = (0..<value.shape.count).map { _ in Float(draws.normal()) }
                return (parameter.tensor(in: .training), Tensor(upstream, shape: value.shape, on: value.cpu))
            })
    }

    private static let rules: [any UpdateRule] = [SGD(), SGD(momentum: 0, weightDecay: 0), Adam()]

    /// Runs steps and gives the weights; at `split` the state goes through a file into a new optimizer.
    static func run(_ rule: any UpdateRule, steps: Int, split: Int? = nil, threads: Int = 2) throws -> [[Float]] {
        let parameters = parameters(100_003, threads: threads)
        var optimizer = Optimizer(rule)
        for step in 0..<steps {
            if step == split {
                let folder = try TemporaryFolder()
                try SafetensorsFile.write(optimizer.state, to: folder("state"))
                optimizer = Optimizer(rule)
                try optimizer.restore(try SafetensorsFile.read(folder("state")), for: parameters)
            }
            let gradients = gradients(parameters, step: step)
            let norm = gradients.norm(over: parameters.map(\.parameter))
            optimizer.step(
                parameters, gradients: gradients, learningRate: 0.01,
                gradientScale: Gradients.clippingScale(norm: norm, limit: 12))
        }
        return parameters.map(\.parameter.scalars)
    }

    @Test(arguments: rules) func theStateGoesThroughAFileToTheBit(rule: any UpdateRule) throws {
        #expect(try Self.run(rule, steps: 6, split: 3) == Self.run(rule, steps: 6))
    }

    @Test(arguments: rules) func threadsDoNotMatter(rule: any UpdateRule) throws {
        #expect(try Self.run(rule, steps: 3, threads: 1) == Self.run(rule, steps: 3, threads: 5))
    }

    @Test func theNormIsThatOfAllGradientsTogether() {
        let parameters = Self.parameters(70_001)
        let gradients = Self.gradients(parameters, step: 0)
        let squares = parameters.flatMap { gradients[$0.parameter]!.scalars }.map { Double($0) * Double($0) }
        let expected = squares.reduce(0, +).squareRoot()
        #expect(abs(gradients.norm(over: parameters.map(\.parameter)) - expected) < 1e-6 * expected)
    }

    @Test func clippingOnlyShortens() {
        #expect(Gradients.clippingScale(norm: 24, limit: 12) == 12 / (24 + 1e-6))
        #expect(Gradients.clippingScale(norm: 3, limit: 12) == 1)
        #expect(Gradients.clippingScale(norm: 1e9, limit: nil) == 1)
    }

    @Test func frozenParametersAndThoseWithoutGradientStay() {
        let parameters = Self.parameters(10)
        let before = parameters.map(\.parameter.scalars)
        let gradients = Self.gradients([parameters[0]], step: 0)
        parameters[0].parameter.isTrainable = false
        var optimizer = Optimizer(SGD())
        optimizer.step(parameters, gradients: gradients, learningRate: 1)
        #expect(parameters.map(\.parameter.scalars) == before)
        #expect(optimizer.state.isEmpty)
    }

    @Test func aStateOfAnotherRuleOrShapeIsRefused() throws {
        let parameters = Self.parameters(10)
        var optimizer = Optimizer(SGD())
        optimizer.step(parameters, gradients: Self.gradients(parameters, step: 0), learningRate: 1)
        let state = SafetensorsFile(tensors: optimizer.state)
        #expect(try state.tensor("conv/momentum").shape == [4, 3, 1, 3, 3])
        var adam = Optimizer(Adam())
        #expect(throws: SafetensorsError.self) { try adam.restore(state, for: parameters) }
        #expect(throws: SafetensorsError.self) { try optimizer.restore(state, for: Self.parameters(11)) }
    }
}
