import Tensors

/// A convolution and its gradients by definition, in float64.
struct ConvolutionReference {
    var y: [Double]
    var dx: [Double]
    var dw: [Double]
    var db: [Double]

    /// - Parameters:
    ///   - x: `[N, D, H, W, in]`.
    ///   - w: `[kD, kH, kW, in, out]`.
    ///   - b: `[out]`.
    ///   - dy: the gradient of the output, `[N, D', H', W', out]`.
    init(
        x: [Float], w: [Float], b: [Float], dy: [Float], extent: Extent3, inputs: Int, outputs: Int,
        geometry g: ConvGeometry
    ) {
        let output = g.outputExtent(of: extent)
        y = [Double](repeating: 0, count: dy.count)
        dx = [Double](repeating: 0, count: x.count)
        dw = [Double](repeating: 0, count: w.count)
        db = [Double](repeating: 0, count: b.count)
        for pixel in 0..<dy.count / outputs {
            let (n, o) = (pixel / output.volume, Self.place(pixel % output.volume, output))
            for c in 0..<outputs {
                y[pixel * outputs + c] += Double(b[c])
                db[c] += Double(dy[pixel * outputs + c])
            }
            for tap in 0..<g.kernel.volume {
                let t = Self.place(tap, g.kernel)
                let i = (0..<3).map { o[$0] * g.stride[$0] - g.padding[$0] + t[$0] * g.dilation[$0] }
                guard (0..<3).allSatisfy({ i[$0] >= 0 && i[$0] < extent[$0] }) else { continue }
                let voxel = ((n * extent.depth + i[0]) * extent.height + i[1]) * extent.width + i[2]
                for k in 0..<inputs {
                    for c in 0..<outputs {
                        let (xi, wi) = (voxel * inputs + k, (tap * inputs + k) * outputs + c)
                        let yi = pixel * outputs + c
                        y[yi] += Double(x[xi]) * Double(w[wi])
                        dx[xi] += Double(dy[yi]) * Double(w[wi])
                        dw[wi] += Double(dy[yi]) * Double(x[xi])
                    }
                }
            }
        }
    }

    private static func place(_ index: Int, _ extent: Extent3) -> Extent3 {
        Extent3(
            depth: index / (extent.height * extent.width), height: index / extent.width % extent.height,
            width: index % extent.width)
    }
}
