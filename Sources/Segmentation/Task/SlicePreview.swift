import Augmentation
import Networks
import Tensors
import Training
import Volumes

/// One slice of a patch of a case: the image, the reference and the prediction in color over it.
///
/// A patch rather than the whole case: a picture must not cost more than the training step before it.
struct SlicePreview {
    private let name: String
    private let patch: Patch

    /// The patch around a labeled voxel, the same one every time.
    init(of item: LabeledCase, patch extent: Extent3) throws {
        name = item.name
        patch = try PatchCutter.plain(patch: extent, oversampling: .share(1)).patch(
            from: item.source, foreground: item.foreground, seed: 0, step: 0, sample: 0, batch: 1)
    }

    /// Image, reference and prediction side by side.
    func preview(by network: UNet, decision: LabelDecision, on cpu: CPU) throws -> Preview {
        var window = SlidingWindow(patch: patch.extent)
        window.mirroredAxes = []
        let classes = network.plan.outputChannels
        let logits = try window.logits(
            of: patch.image, extent: patch.extent, by: [{ network($0, outputs: 1, in: .inference)[0] }],
            classes: classes,
            on: cpu)
        let reference = patch.labels ?? []
        let slice = fullestSlice(reference)
        return Preview(
            title: "\(name): image, reference, prediction (slice \(slice) of the patch)",
            images: [
                picture(slice, []), picture(slice, reference),
                picture(slice, decision.labels(logits, channels: classes)),
            ])
    }

    /// The slice with most foreground.
    private func fullestSlice(_ labels: [Int16]) -> Int {
        let area = patch.extent.height * patch.extent.width
        let counts = (0..<patch.extent.depth).map { depth in
            labels.isEmpty ? 0 : labels[depth * area..<(depth + 1) * area].reduce(0) { $0 + ($1 > 0 ? 1 : 0) }
        }
        let largest = counts.max() ?? 0
        return largest > 0 ? counts.firstIndex(of: largest) ?? 0 : patch.extent.depth / 2
    }

    /// A slice of the first channel in gray, with the classes of `labels` tinted.
    private func picture(_ slice: Int, _ labels: [Int16]) -> Picture {
        let extent = patch.extent
        let first = slice * extent.height * extent.width
        let values = patch.image[first..<first + extent.height * extent.width]
        let sorted = values.sorted()
        // The brightest and darkest hundredth may be anything: vessels, metal, air.
        let (low, high) = (sorted[sorted.count / 100], sorted[sorted.count - 1 - sorted.count / 100])
        var pixels: [UInt8] = []
        pixels.reserveCapacity(3 * values.count)
        // Height grows towards the front of the patient; pictures grow downwards.
        for height in (0..<extent.height).reversed() {
            for width in 0..<extent.width {
                let index = first + height * extent.width + width
                let share = high > low ? (patch.image[index] - low) / (high - low) : 0
                let gray = 255 * max(0, min(1, share))
                pixels += Self.color(gray, label: labels.isEmpty ? 0 : labels[index])
            }
        }
        return Picture(width: extent.width, height: extent.height, pixels: pixels)
    }

    /// Red, green and blue of a gray voxel, tinted where it is labeled.
    private static func color(_ gray: Float, label: Int16) -> [UInt8] {
        guard label > 0 else { return [UInt8](repeating: UInt8(gray), count: 3) }
        return tints[(Int(label) - 1) % tints.count].map { UInt8(0.45 * gray + 0.55 * $0) }
    }

    /// Okabe and Ito's colors, which most color-blind people can tell apart; blue is too dark over gray.
    private static let tints: [[Float]] = [
        [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [213, 94, 0], [204, 121, 167],
    ]
}
