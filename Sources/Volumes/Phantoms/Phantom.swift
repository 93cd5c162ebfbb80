import Foundation
import Tensors

/// A recipe for made-up labeled volumes: they stand in where no data are at hand, in the demo and in tests.
///
/// Every volume is a pure function of the recipe, a seed and an index. Shapes, brightness, bias field and noise differ from
/// case to case, so that a network has something to learn, and something to gain from seeing more.
public struct Phantom: Codable, Hashable, Sendable {
    /// What is made up.
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// A head in shells: skin, skull, fluid, grey matter, white matter, ventricles, lesions (labels 1 to 7).
        case head
        /// An abdomen: liver, spleen, right and left kidney, aorta, stomach (labels 1 to 6).
        case organs
        /// A crop of about 36x50x35 voxels around a hippocampus: front and back part (labels 1 and 2).
        case hippocampus
    }

    /// How tissues look.
    public typealias Contrast = PhantomContrast

    /// What is made up.
    public var kind: Kind
    /// Each case has one of these contrasts, drawn uniformly.
    public var contrasts: [Contrast]
    /// The size of a voxel along depth, height and width.
    public var spacingMM: [Double]
    /// The relative standard deviation by which the spacing of the depth axis varies from case to case.
    public var spacingVariation: Double
    /// The standard deviation of the noise, relative to bright tissue.
    public var noise: Double
    /// The standard deviation of the logarithm of the bias field of MR images.
    public var bias: Double
    /// The largest angle by which the image's axes are turned against the patient's, in degrees.
    public var tiltDegrees: Double

    /// A recipe; what is not given has values typical of the kind.
    public init(
        _ kind: Kind, contrasts: [Contrast]? = nil, spacingMM: [Double]? = nil, spacingVariation: Double = 0,
        noise: Double = 0.06, bias: Double = 0.12, tiltDegrees: Double = 0
    ) {
        self.kind = kind
        self.contrasts = contrasts ?? (kind == .organs ? [.ct] : [.t1])
        self.spacingMM = spacingMM ?? kind.typicalSpacingMM
        (self.spacingVariation, self.noise, self.bias) = (spacingVariation, noise, bias)
        self.tiltDegrees = tiltDegrees
        check(self.spacingMM.count == 3 && self.spacingMM.allSatisfy { $0 > 0 }, "spacing is three positive lengths")
        check(!self.contrasts.isEmpty, "a phantom needs a contrast to be drawn from")
    }

    /// The names of the classes; the position is the label, `background` the first.
    public var classNames: [String] {
        switch kind {
        case .head: ["background", "skin", "skull", "fluid", "grey_matter", "white_matter", "ventricles", "lesion"]
        case .organs: ["background", "liver", "spleen", "right_kidney", "left_kidney", "aorta", "stomach"]
        case .hippocampus: ["background", "anterior", "posterior"]
        }
    }

    /// Case `index` of a series.
    public func sample(seed: UInt64, index: Int) -> PhantomCase {
        var shapes = Draws(seed: seed, purpose: .phantomAnatomy, sample: index)
        let anatomy =
            switch kind {
            case .head: Anatomy.head(draws: &shapes)
            case .organs: Anatomy.organs(draws: &shapes)
            case .hippocampus: Anatomy.hippocampus(draws: &shapes)
            }
        var choices = Draws(seed: seed, purpose: .phantomScanner, sample: index)
        let contrast = contrasts[choices.integer(in: 0..<contrasts.count)]
        let geometry = drawGeometry(&choices)
        let painting = PhantomPainting(
            anatomy: anatomy, contrast: contrast, geometry: geometry, seed: seed, index: index)
        var image = painting.signal
        PhantomScanner(contrast: contrast, noise: noise, bias: bias)
            .scan(&image, geometry: geometry, seed: seed, index: index)
        return PhantomCase(
            image: Volume(voxels: image, channelNames: [contrast.channelName], geometry: geometry),
            labels: LabelVolume(labels: painting.labels, geometry: geometry), contrast: contrast)
    }

    private func drawGeometry(_ draws: inout Draws) -> Geometry {
        var spacing = spacingMM
        spacing[0] *= exp(spacingVariation * draws.normal())
        let extent = (0..<3).map { axis in
            let (field, spread) = (kind.fieldOfViewMM[axis], kind.fieldOfViewVariation)
            return max(8, Int((draws.near(field, spread: spread * field) / spacing[axis]).rounded()))
        }
        let tilt = Rotation(degrees: draws.near(SIMD3.zero, spread: tiltDegrees))
        // Columns of the affine: one step along width, height and depth, in (x, y, z) = (width, height, depth).
        var origin = draws.near(SIMD3.zero, spread: 20)
        let columns = (0..<3).map { axis in
            var step = SIMD3<Double>.zero
            step[axis] = spacing[2 - axis]
            let turned = tilt(step)
            origin -= turned * (Double(extent[2 - axis] - 1) / 2)
            return turned
        }
        func row(_ axis: Int) -> SIMD4<Double> {
            SIMD4(columns[0][axis], columns[1][axis], columns[2][axis], origin[axis])
        }
        return Geometry(extent: Extent3(dimensions: extent), affine: Affine(x: row(0), y: row(1), z: row(2)))
    }
}

/// One made-up case.
public struct PhantomCase: Sendable {
    /// The image, one channel.
    public var image: Volume
    /// The classes, on the same grid.
    public var labels: LabelVolume
    /// How tissues look in it.
    public var contrast: Phantom.Contrast
}

extension Phantom.Kind {
    var typicalSpacingMM: [Double] {
        switch self {
        case .head: [2, 2, 2]
        case .organs: [4, 3, 3]
        case .hippocampus: [1, 1, 1]
        }
    }

    var fieldOfViewMM: [Double] {
        switch self {
        case .head: [168, 204, 172]
        case .organs: [172, 222, 312]
        case .hippocampus: [36, 50, 35]
        }
    }

    var fieldOfViewVariation: Double { self == .hippocampus ? 0.08 : 0.03 }
}

extension Draws.Purpose {
    static let phantomAnatomy: Self = "phantom-anatomy"
    static let phantomScanner: Self = "phantom-scanner"
}
