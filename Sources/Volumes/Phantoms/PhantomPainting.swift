import Foundation
import Tensors

/// The ideal image of an anatomy on a grid: its tissues' signal with partial volume, and the labels.
struct PhantomPainting {
    /// The signal, `[D, H, W]`.
    let signal: [Float]
    /// The classes, `[D, H, W]`.
    let labels: [Int16]

    init(anatomy: Anatomy, contrast: PhantomContrast, geometry: Geometry, seed: UInt64, index: Int) {
        let painter = Painter(anatomy: anatomy, contrast: contrast, geometry: geometry, seed: seed, index: index)
        var signal = [Float](repeating: 0, count: geometry.extent.volume)
        var labels = [Int16](repeating: 0, count: geometry.extent.volume)
        signal.withUnsafeMutableBufferPointer { signal in
            labels.withUnsafeMutableBufferPointer { labels in painter.paint(signal: signal, labels: labels) }
        }
        (self.signal, self.labels) = (signal, labels)
    }
}

/// Paints row by row, so that it needs no memory beyond the image's.
private struct Painter {
    let anatomy: Anatomy
    let extent: Extent3
    let spacing: SIMD3<Double>
    let warps: [SmoothField]
    let folds: SmoothField
    let texture: SmoothField
    let signals: [Double]
    let surroundings: Double
    /// Half of the width over which one tissue fades into the next: half a voxel.
    let fadeMM: Double
    /// Thick slices are the mean of several thin ones: this is partial volume where it is strong.
    let slicesPerVoxel: Int

    init(anatomy: Anatomy, contrast: PhantomContrast, geometry: Geometry, seed: UInt64, index: Int) {
        self.anatomy = anatomy
        extent = geometry.extent
        let spacingMM = geometry.spacingMM
        spacing = SIMD3(spacingMM[0], spacingMM[1], spacingMM[2])
        var warp = Draws(seed: seed, purpose: .phantomWarp, sample: index)
        warps = (0..<3).map { _ in SmoothField(wavelengthsMM: anatomy.warpWavelengthsMM, draws: &warp) }
        folds = SmoothField(wavelengthsMM: anatomy.foldWavelengthsMM, waves: 8, draws: &warp)
        var tissue = Draws(seed: seed, purpose: .phantomTissue, sample: index)
        texture = SmoothField(wavelengthsMM: anatomy.foldWavelengthsMM, waves: 8, draws: &tissue)
        // Tissues of one name are equally bright within a case and differ between cases.
        var brightness: [Tissue: Double] = [:]
        func signal(_ kind: Tissue) -> Double {
            if let known = brightness[kind] { return known }
            let mean = kind.signal(in: contrast)
            let value = contrast == .ct ? mean + 8 * tissue.normal() : mean * exp(0.06 * tissue.normal())
            brightness[kind] = value
            return value
        }
        surroundings = signal(anatomy.surroundings)
        signals = anatomy.parts.map { signal($0.tissue) }
        let inPlane = (spacing.y * spacing.z).squareRoot()
        fadeMM = inPlane / 2
        slicesPerVoxel = min(5, 2 * Int(spacing.x / inPlane / 2) + 1)
    }

    func paint(signal: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int16>) {
        let width = extent.width
        let rows = UnsafeMutableBufferPointer<Double>.allocate(capacity: 5 * width)
        defer { rows.deallocate() }
        func row(_ index: Int) -> UnsafeMutableBufferPointer<Double> {
            UnsafeMutableBufferPointer(rebasing: rows[index * width..<(index + 1) * width])
        }
        let (depthWarp, heightWarp, widthWarp, fold, grain) = (row(0), row(1), row(2), row(3), row(4))
        let center = SIMD3(Double(extent.depth - 1), Double(extent.height - 1), Double(width - 1)) / 2 * spacing
        let step = SIMD3(0, 0, spacing.z)
        let parts = anatomy.parts.indices.map { (index: $0, bounds: reach(of: anatomy.parts[$0])) }

        for depth in 0..<extent.depth {
            for slice in 0..<slicesPerVoxel {
                let offset = (Double(slice) + 0.5) / Double(slicesPerVoxel) - 0.5
                let isCenter = slice == slicesPerVoxel / 2
                for height in 0..<extent.height {
                    let start = SIMD3(Double(depth) + offset, Double(height), 0) * spacing - center
                    rows.update(repeating: 0)
                    warps[0].add(scale: anatomy.warpMM, start: start, step: step, to: depthWarp)
                    warps[1].add(scale: anatomy.warpMM, start: start, step: step, to: heightWarp)
                    warps[2].add(scale: anatomy.warpMM, start: start, step: step, to: widthWarp)
                    folds.add(scale: 1, start: start, step: step, to: fold)
                    texture.add(scale: 0.03, start: start, step: step, to: grain)
                    let near = parts.filter { part in
                        part.bounds.lower.x <= start.x && start.x <= part.bounds.upper.x
                            && part.bounds.lower.y <= start.y && start.y <= part.bounds.upper.y
                    }
                    let first = (depth * extent.height + height) * width
                    for column in 0..<width {
                        let place = start + step * Double(column)
                        let warped = place + SIMD3(depthWarp[column], heightWarp[column], widthWarp[column])
                        var (value, label) = (surroundings, Int16(0))
                        for part in near where part.bounds.lower.z <= place.z && place.z <= part.bounds.upper.z {
                            let solid = anatomy.parts[part.index]
                            let distance = solid.solid.distanceMM(to: warped) + solid.foldMM * fold[column]
                            if distance < 0 { label = solid.label }
                            let share = min(max(0.5 - distance / (2 * fadeMM), 0), 1)
                            value += share * (signals[part.index] - value)
                        }
                        let textured = value * (1 + grain[column]) / Double(slicesPerVoxel)
                        signal[first + column] += Float(textured)
                        if isCenter { labels[first + column] = label }
                    }
                }
            }
        }
    }

    /// Beyond this box a part changes nothing: warp and folds are sums of waves and rarely exceed three deviations.
    private func reach(of part: Anatomy.Part) -> (lower: SIMD3<Double>, upper: SIMD3<Double>) {
        let margin = 4 * anatomy.warpMM + 4 * part.foldMM + 2 * fadeMM
        let bounds = part.solid.bounds
        return (bounds.lower - margin, bounds.upper + margin)
    }
}

extension Draws.Purpose {
    static let phantomWarp: Self = "phantom-warp"
    static let phantomTissue: Self = "phantom-tissue"
}
