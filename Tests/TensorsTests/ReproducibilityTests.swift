import Tensors
import Testing

/// Same input, same bits: for any number of threads, again and again.
struct ReproducibilityTests {
    private func step(_ cpu: CPU, mask: BlockMask?) -> [[Float]] {
        let extent = Extent3(depth: 8, height: 16, width: 24)
        var x = randomTensor(Shape(samples: 2, extent: extent, channels: 3), seed: 31, on: cpu).tracked()
        let input = x
        if let mask { x = hide(x, mask) }
        let w = randomTensor([3, 3, 3, 3, 24], seed: 32, on: cpu).tracked()
        let u = randomTensor([3, 3, 3, 24, 24], seed: 35, on: cpu).tracked()
        let v = randomTensor([3, 3, 3, 24, 33], seed: 33, on: cpu).tracked()
        let t = randomTensor([3, 3, 3, 33, 64], seed: 36, on: cpu).tracked()
        let gamma = randomTensor([24], seed: 34, on: cpu).tracked()
        let h = instanceNorm(
            conv3D(x, weight: w, bias: nil, ConvGeometry(kernel: 3)), weight: gamma, bias: nil, epsilon: 1e-5,
            slope: 0.01)
        // Wide enough to be filtered in cubes; the cells of the mask hold whole ones.
        let wide = conv3D(h, weight: u, bias: nil, ConvGeometry(kernel: 3))
        let coarse = conv3D(wide, weight: v, bias: nil, ConvGeometry(kernel: 3, stride: 2))
        // So few cubes that they are one chunk.
        let y = conv3D(coarse, weight: t, bias: nil, ConvGeometry(kernel: 3))
        let gradients = sum(multiply(y, y)).backward()
        return [y.scalars] + [input, w, u, v, t, gamma].map { gradients[$0]!.scalars }
    }

    @Test(arguments: KernelSet.tested, [false, true])
    func sameBitsForAnyNumberOfThreads(kernels: KernelSet, masked: Bool) {
        let mask = masked ? BlockMask.random(samples: 2, grid: 2, visible: 0.5, seed: 9) : nil
        let one = step(CPU(threads: 1, kernels: kernels), mask: mask)
        for threads in [2, 3, 7] {
            #expect(step(CPU(threads: threads, kernels: kernels), mask: mask) == one, "\(threads) threads")
        }
    }
}
