import CKernels

/// How many outputs Winograd's filtering computes together along each axis: 4 or 2 where the kernel has three taps, 1 where
/// it has one.
///
/// Larger cubes take fewer products per output (216 for 64, 64 for 8) but more weights, and waste more where they stick
/// out.
struct CubeShape {
    /// Outputs along depth, height and width.
    let edges: Extent3

    /// The inputs that a cube reads.
    var neighbourhood: Extent3 { edges.zipped(with: edges) { edge, _ in edge > 1 ? edge + 2 : 1 } }
    /// The products per pair of channels.
    var positions: Int { neighbourhood.volume }
    /// For the kernels.
    var cube: ws_cube {
        ws_cube(depth: Int32(edges.depth), height: Int32(edges.height), width: Int32(edges.width))
    }

    /// The cubes that cover a map.
    func grid(over pixels: Extent3) -> Extent3 { pixels.zipped(with: edges) { ($0 + $1 - 1) / $1 } }

    /// The shape that computes the visible pixels of `product` soonest, by an estimate from sizes alone, so that every
    /// processor takes the same; `nil` if tap by tap is sooner.
    ///
    /// - Parameter channels: those of the map whose voxels gather.
    static func cheapest(for product: GatheredProduct, channels: Int) -> CubeShape? {
        let inputs = product.source.shape.channels
        // Narrower maps leave vectors unused or do not earn back the transforms.
        guard inputs >= 16, channels >= 16 else { return nil }
        let depths = product.geometry.kernel.0 == 3 ? [4, 2] : [1]
        var best: (shape: CubeShape, cubes: Int, cost: Double)?
        for depth in depths {
            for height in [4, 2] {
                for width in [4, 2] {
                    let shape = CubeShape(edges: Extent3(depth: depth, height: height, width: width))
                    guard let cubes = shape.count(in: product) else { continue }
                    let cost = shape.cost(
                        cubes: cubes, inputs, channels, weights: isCached(cubes, inputs, channels) ? 12 : 32)
                    if cost < best?.cost ?? .infinity { best = (shape, cubes, cost) }
                }
            }
        }
        guard let best else { return nil }
        // Tap by tap, few pixels do without any transform of weights, in the cache or not.
        let direct = Double(product.chunks.pixels * product.taps) * Double(inputs * channels)
        return best.shape.cost(cubes: best.cubes, inputs, channels, weights: 32) < direct ? best.shape : nil
    }

    /// The cubes that hold all visible pixels; `nil` if a cube would hold pixels of different blocks.
    private func count(in product: GatheredProduct) -> Int? {
        guard let mask = product.mask else {
            return product.source.shape.samples * grid(over: product.pixels).volume
        }
        guard let cell = mask.cell(in: product.pixels), (0..<3).allSatisfy({ cell[$0] % edges[$0] == 0 }) else {
            return nil
        }
        return product.chunks.pixels / edges.volume
    }

    /// In products of the direct sum: those at every position, the transforms of both maps, and the weights' transform,
    /// which takes as long as so many cubes (`weights`).
    private func cost(cubes: Int, _ inputs: Int, _ outputs: Int, weights: Int) -> Double {
        let transforms = 8 * (inputs + outputs)
        return Double(positions) * Double(cubes * (inputs * outputs + transforms) + weights * inputs * outputs)
    }

    /// Whether the weights' transform, bound by memory where cubes are many, stays in the cache and costs less. That was
    /// measured at 256 channels; narrower maps keep the shapes, and so the bits, with which `Weights/` was trained.
    private static func isCached(_ cubes: Int, _ inputs: Int, _ outputs: Int) -> Bool {
        cubes <= CubeProduct.few && min(inputs, outputs) >= 256
    }
}

extension ws_cube {
    /// The scratch of the kernels, in floats.
    func scratch(inputs: Int, outputs: Int) -> Int {
        withUnsafePointer(to: self) { Int(ws_cube_scratch($0, Int32(inputs), Int32(outputs))) }
    }
}
