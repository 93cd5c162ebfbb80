import Tensors

/// 1 minus the mean over voxels of the squared correlation of two images within boxes of 9 voxels, zero beyond their faces:
/// `cross² / (variance variance + 1e-5)`, with sums over the box. Invariant to brightness and contrast.
///
/// - Parameters:
///   - image: `[N, D, H, W, 1]`.
///   - reference: like `image`; no gradient flows to it.
/// - Returns: a scalar.
public func localCorrelationLoss(_ image: Tensor, reference: Tensor) -> Tensor {
    let reference = reference.detached
    let (own, other) = (boxSum(image), boxSum(reference))
    func spread(_ products: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
        subtract(boxSum(products), scale(multiply(a, b), by: 1 / 729))
    }
    let cross = spread(multiply(image, reference), own, other)
    let variances = multiply(
        spread(multiply(image, image), own, own), spread(multiply(reference, reference), other, other))
    let inverse = pointwise(variances, { 1 / ($0 + 1e-5) }, derivative: { -1 / (($0 + 1e-5) * ($0 + 1e-5)) })
    let correlation = mean(multiply(multiply(cross, cross), inverse))
    return subtract(Tensor(filledWith: 1, shape: [], on: image.cpu), correlation)
}

/// The sum over the 9x9x9 voxels around each voxel, axis by axis.
private func boxSum(_ x: Tensor) -> Tensor {
    (0..<3).reduce(x) { map, axis in
        var (kernel, padding) = (Extent3(1), Extent3(0))
        (kernel[axis], padding[axis]) = (9, 4)
        return scale(averagePool3D(map, kernel: kernel, stride: 1, padding: padding), by: 9)
    }
}

/// How rough a field is: the mean of squared differences of neighbours, averaged over the three axes.
///
/// - Parameter flow: `[N, D, H, W, 3]`.
/// - Returns: a scalar.
public func roughness(_ flow: Tensor) -> Tensor {
    let terms = (1...3).map { axis in
        let count = flow.shape[axis]
        let difference = subtract(slice(flow, axis: axis, 1..<count), slice(flow, axis: axis, 0..<count - 1))
        return mean(multiply(difference, difference))
    }
    return scale(add(add(terms[0], terms[1]), terms[2]), by: 1.0 / 3)
}
