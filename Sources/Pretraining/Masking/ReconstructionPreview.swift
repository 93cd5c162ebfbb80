import Tensors
import Training
import Volumes

/// One slice of a patch in the middle of an image: as it is, as the encoder sees it, and with hidden blocks rebuilt.
struct ReconstructionPreview {
    private let name: String
    private let input: Tensor
    private let mask: BlockMask

    /// The patch and a mask that are the same every time.
    init(of image: PretrainingData.Image, masking: BlockMasking, seed: UInt64, on cpu: CPU) throws {
        name = image.name
        let extent = masking.grid.zipped(with: masking.block, *)
        let patch = try image.source.patch(in: VoxelBox(whole: image.source.extent).centered(extent))
        input = Tensor(channelsFirst: patch.image, samples: 1, channels: 1, extent: extent, on: cpu)
        mask = masking.mask(samples: 1, seed: seed, step: 0)
    }

    /// Original, masked and rebuilt slice side by side.
    func preview(by network: any MaskedAutoencoder) -> Preview {
        let extent = input.shape.extent
        let (original, seen) = (input.scalars, mask.voxels(in: extent))
        let rebuilt = network(input, mask: mask, in: .inference).scalars
        let slice = extent.depth / 2
        let sorted = original.sorted()
        // The brightest and darkest hundredth may be anything: vessels, metal, air.
        let range = sorted[sorted.count / 100]...sorted[sorted.count - 1 - sorted.count / 100]
        return Preview(
            title: "\(name): original, masked, hidden blocks rebuilt (slice \(slice) of the patch)",
            images: [
                picture(slice, range) { original[$0] },
                picture(slice, range) { seen[$0] == 1 ? original[$0] : range.lowerBound },
                picture(slice, range) { seen[$0] == 1 ? original[$0] : rebuilt[$0] },
            ])
    }

    /// Height grows towards the front of the patient; pictures grow downwards.
    private func picture(_ slice: Int, _ range: ClosedRange<Float>, _ value: (Int) -> Float) -> Picture {
        let extent = input.shape.extent
        let values = (0..<extent.height).reversed().flatMap { height in
            (0..<extent.width).map { value((slice * extent.height + height) * extent.width + $0) }
        }
        return Picture(width: extent.width, height: extent.height, values: values, range: range)
    }
}
