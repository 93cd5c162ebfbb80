import Foundation
import Networks
import Tensors
import Volumes

/// One or more models that classify images together: their probabilities are averaged.
public struct Classifier {
    /// The members. All know the same classes.
    public let models: [SegmentationModel]
    /// The axes along which images are mirrored as well; at first the first model's.
    public var mirroredAxes: [Int]
    private let cpu: CPU

    /// A classifier of at least one model.
    /// - Throws: ``SegmentationError`` if one of them segments, or they know other classes or channels.
    public init(_ models: [SegmentationModel], on cpu: CPU) throws {
        check(!models.isEmpty, "a classifier has at least one member")
        for model in models {
            guard model.card.classifies else { throw SegmentationError.notAClassifier(path: model.path) }
            for (difference, isSame) in [
                ("classes", model.card.classes == models[0].card.classes),
                ("channels", model.card.plan.channels.map(\.name) == models[0].card.plan.channels.map(\.name)),
            ] where !isSame {
                throw SegmentationError.differentModels(
                    first: models[0].path, second: model.path, difference: difference)
            }
        }
        (self.models, self.cpu) = (models, cpu)
        mirroredAxes = models[0].card.window.mirroredAxes
    }

    /// The classifier of the models of these runs.
    /// - Throws: what opening them throws, and ``SegmentationError``.
    public init(ofRuns folders: [String], on cpu: CPU) throws {
        try self.init(folders.map { try SegmentationModel(ofRun: $0, on: cpu) }, on: cpu)
    }

    /// The names of the classes.
    public var classes: [String] { models[0].card.classes.map(\.name) }

    /// The names of the channels that an image must have.
    public var channelNames: [String] { models[0].card.plan.channels.map(\.name) }

    /// The probability of each class.
    /// - Throws: ``PreprocessingError``.
    public func probabilities(of image: Volume) throws -> [Double] {
        var sum = [Double](repeating: 0, count: classes.count)
        for model in models {
            let plan = model.card.plan
            let middle = Patch(middle: plan.patch, of: try plan.preprocessing(image, on: cpu))
            let one = model.network.probabilities(of: middle, mirroredAxes: mirroredAxes, on: cpu)
            sum = zip(sum, one).map { $0 + $1 / Double(models.count) }
        }
        return sum
    }
}

extension UNet {
    /// The probability of each class, from the mean of the logits of all combinations of mirrored axes.
    func probabilities(of patch: Patch, mirroredAxes: [Int], on cpu: CPU) -> [Double] {
        let window = SlidingWindow(patch: patch.extent)
        let views = window.views(
            of: patch.extent,
            orientations: TestTimeViews.mirrorings.orientations(of: patch.extent, mirroredAxes: mirroredAxes))
        var sum = [Double](repeating: 0, count: plan.outputChannels)
        for view in views {
            let input = window.gather([view], from: patch.image, extent: patch.extent, on: cpu)
            let logits = self(input, outputs: 1, in: .inference)[0].scalars
            sum = zip(sum, logits).map { $0 + Double($1) / Double(views.count) }
        }
        let largest = sum.max() ?? 0
        let weights = sum.map { exp($0 - largest) }
        return weights.map { $0 / weights.reduce(0, +) }
    }
}
