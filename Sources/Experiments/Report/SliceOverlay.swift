import Training

/// Draws labels over a slice of an image: one label map as tinted areas, another as outlines.
///
/// The part around the labels is shown, enlarged so that outlines are fine, with the voxels' true proportions.
struct SliceOverlay {
    private let image: [Float]
    private let columns: Int
    /// The voxels shown.
    private let shownRows: Range<Int>
    private let shownColumns: Range<Int>
    /// Pixels of a voxel.
    private let pixels: (high: Int, wide: Int)
    /// Image values from black to white.
    private let window: (low: Float, high: Float)

    /// - Parameters:
    ///   - image: `[H, W]`.
    ///   - spacingMM: the size of a voxel along height and width.
    ///   - labelMaps: the labels that must be in the picture, `[H, W]` each.
    init(
        image: [Float], rows: Int, columns: Int, spacingMM: (height: Double, width: Double), around labelMaps: [[Int16]]
    ) {
        (self.image, self.columns) = (image, columns)
        let labeled = image.indices.filter { voxel in labelMaps.contains { $0[voxel] > 0 } }
        func shown(_ places: [Int], _ count: Int) -> Range<Int> {
            guard let first = places.min(), let last = places.max() else { return 0..<count }
            // Half of the structure's size around it, and some voxels at least.
            let margin = max(8, (last - first) / 2)
            return max(0, first - margin)..<min(count, last + margin + 1)
        }
        shownRows = shown(labeled.map { $0 / columns }, rows)
        shownColumns = shown(labeled.map { $0 % columns }, columns)
        let widthMM = Double(shownColumns.count) * spacingMM.width
        let scale = max(240 / widthMM, 1 / min(spacingMM.height, spacingMM.width))
        pixels = (
            max(1, Int((spacingMM.height * scale).rounded())), max(1, Int((spacingMM.width * scale).rounded()))
        )
        let sorted = image.sorted()
        // The brightest and darkest hundredth may be anything: vessels, metal, air.
        window = (sorted[sorted.count / 100], sorted[sorted.count - 1 - sorted.count / 100])
    }

    /// The image with areas of `filled` tinted and lines around the areas of `outlined`.
    func picture(filling filled: [Int16], outlining outlined: [Int16]) -> Picture {
        let (height, width) = (shownRows.count * pixels.high, shownColumns.count * pixels.wide)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(3 * height * width)
        for y in 0..<height {
            // Height grows towards the front of the patient; pictures grow downwards.
            let row = shownRows.upperBound - 1 - y / pixels.high
            for x in 0..<width {
                let column = shownColumns.lowerBound + x / pixels.wide
                let voxel = row * columns + column
                if isOutline(outlined, row, column, y % pixels.high, x % pixels.wide) {
                    bytes += [255, 255, 255]
                } else {
                    bytes += color(image[voxel], label: filled[voxel])
                }
            }
        }
        return Picture(width: width, height: height, pixels: bytes)
    }

    /// Whether a pixel of a voxel lies at its edge to a voxel with another label; the line is drawn inside the structure.
    private func isOutline(_ labels: [Int16], _ row: Int, _ column: Int, _ y: Int, _ x: Int) -> Bool {
        let label = labels[row * columns + column]
        guard label > 0 else { return false }
        func differs(_ row: Int, _ column: Int) -> Bool {
            let isInside = row >= 0 && row * columns < labels.count && column >= 0 && column < columns
            return !isInside || labels[row * columns + column] != label
        }
        let line = max(1, min(pixels.high, pixels.wide) / 4)
        return y < line && differs(row + 1, column) || y >= pixels.high - line && differs(row - 1, column)
            || x < line && differs(row, column - 1) || x >= pixels.wide - line && differs(row, column + 1)
    }

    private func color(_ value: Float, label: Int16) -> [UInt8] {
        let share = window.high > window.low ? (value - window.low) / (window.high - window.low) : 0
        let gray = 255 * max(0, min(1, share))
        guard label > 0 else { return [UInt8](repeating: UInt8(gray), count: 3) }
        return Self.tints[(Int(label) - 1) % Self.tints.count].map { UInt8(0.55 * gray + 0.45 * $0) }
    }

    /// Okabe and Ito's colors, which most color-blind people can tell apart; blue is too dark over gray.
    private static let tints: [[Float]] = [
        [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [213, 94, 0], [204, 121, 167],
    ]
}
