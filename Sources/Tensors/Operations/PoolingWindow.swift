/// Which input voxels each output voxel of a pooling sees.
struct PoolingWindow {
    let kernel, stride, padding, input, output: Extent3

    init(kernel: Extent3, stride: Extent3, padding: Extent3, input: Extent3) {
        (self.kernel, self.stride, self.padding, self.input) = (kernel, stride, padding, input)
        output = ConvGeometry(kernel: kernel, stride: stride, padding: padding).outputExtent(of: input)
    }

    /// Whether no window holds voxels of different blocks, so that visible outputs and visible inputs see each other only.
    func keepsBlocks(of mask: BlockMask?) -> Bool {
        guard let mask else { return false }
        guard let cell = mask.cell(in: input), mask.cell(in: output) != nil else { return false }
        return padding == 0 && (0..<3).allSatisfy { kernel[$0] <= stride[$0] && cell[$0] % stride[$0] == 0 }
    }

    /// Whether windows share voxels.
    var overlaps: Bool { (0..<3).contains { kernel[$0] > stride[$0] } }

    /// Along an axis, the inputs in the window of an output.
    @inline(__always)
    func inputs(_ axis: Int, of output: Int) -> Range<Int> {
        let start = output * stride[axis] - padding[axis]
        return max(0, start)..<max(max(0, start), min(input[axis], start + kernel[axis]))
    }

    /// Along an axis, the outputs whose windows hold an input.
    @inline(__always)
    func outputs(_ axis: Int, seeing input: Int) -> Range<Int> {
        let position = input + padding[axis]
        let first = max(0, position - kernel[axis] + stride[axis]) / stride[axis]
        return first..<max(first, min(output[axis], position / stride[axis] + 1))
    }

    /// Calls `body(sample, voxel, linear index in the batch)` for the visible voxels of a map, in parallel.
    func forEachVisible(_ map: Tensor, _ body: (Int, Extent3, Int) -> Void) {
        let (extent, spans) = (map.shape.extent, Spans(of: map))
        map.cpu.parallel(spans.pieces.count) { piece in
            let sample = spans.pieces[piece].sample
            for span in spans.spans[spans.pieces[piece].spans] {
                for index in Int(span.start)..<Int(span.start + span.count) {
                    let voxel = index - sample * extent.volume
                    let plane = extent.height * extent.width
                    body(
                        sample,
                        Extent3(
                            depth: voxel / plane, height: voxel % plane / extent.width, width: voxel % extent.width),
                        index)
                }
            }
        }
    }

    /// Calls `body` with the linear index of each input voxel in the window of an output voxel, in d, h, w order.
    @inline(__always)
    func forEachInput(of voxel: Extent3, _ body: (Int) -> Void) {
        Self.forEach(
            in: input, inputs(0, of: voxel.depth), inputs(1, of: voxel.height), inputs(2, of: voxel.width), body)
    }

    /// Calls `body` with the linear index of each output voxel whose window holds an input voxel.
    @inline(__always)
    func forEachOutput(seeing voxel: Extent3, _ body: (Int) -> Void) {
        Self.forEach(
            in: output, outputs(0, seeing: voxel.depth), outputs(1, seeing: voxel.height),
            outputs(2, seeing: voxel.width), body)
    }

    @inline(__always)
    private static func forEach(
        in extent: Extent3, _ depths: Range<Int>, _ heights: Range<Int>, _ widths: Range<Int>, _ body: (Int) -> Void
    ) {
        for d in depths {
            for h in heights {
                for w in widths { body((d * extent.height + h) * extent.width + w) }
            }
        }
    }
}
