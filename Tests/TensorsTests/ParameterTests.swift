import Tensors
import Testing

struct ParameterTests {
    private let cpu = CPU(threads: 1)

    @Test(
        "a convolution's weight goes to PyTorch's layout and back",
        arguments: [[4, 3, 1, 2, 3], [4, 3, 2, 3], [4, 3]])
    func layout(dimensions: [Int]) {
        let scalars = (0..<dimensions.reduce(1, *)).map(Float.init)
        let parameter = Parameter(pytorchShape: Shape(dimensions), layout: .convolution, scalars: scalars, on: cpu)
        #expect(parameter.scalars == scalars)
        #expect(parameter.value.shape.dimensions.suffix(2) == [3, 4])
        // Output 1, input 2, first tap: [out][in][tap] in files, [tap][in][out] in memory.
        let taps = scalars.count / 12
        #expect(parameter.value.scalars[2 * 4 + 1] == scalars[(1 * 3 + 2) * taps])
    }

    @Test func gradientsReachTrainableParametersInTrainingOnly() {
        let parameter = Parameter(pytorchShape: [2], layout: .plain, scalars: [1, 2], on: cpu)
        let trained = sum(multiply(parameter.tensor(in: .training), parameter.tensor(in: .training))).backward()
        #expect(trained[parameter]?.scalars == [2, 4])  // both uses add up: d(w^2) = 2 w
        #expect(sum(parameter.tensor(in: .inference)).backward()[parameter] == nil)
        parameter.isTrainable = false
        #expect(sum(parameter.tensor(in: .training)).backward()[parameter] == nil)
    }

    @Test("a mistake in the calling code prints its reason")
    func mistakesSayWhatIsWrong() async throws {
        let end = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor([1, 2, 3], shape: [2], on: CPU(threads: 1))
        }
        let text = String(decoding: try #require(end).standardErrorContent, as: UTF8.self)
        #expect(text.contains("3 numbers do not fill a tensor of shape [2]"))
    }
}
