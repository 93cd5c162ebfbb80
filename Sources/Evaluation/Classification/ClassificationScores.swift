import Foundation

/// What became of one image that was classified.
public struct ClassifiedImage: Sendable, Hashable {
    /// The case.
    public var name: String
    /// The class it has, counted from 0; nil where nobody knows.
    public var reference: Int?
    /// The probability of each class.
    public var probabilities: [Double]

    /// An image with the class it has and what the network says.
    public init(name: String, reference: Int? = nil, probabilities: [Double]) {
        (self.name, self.reference, self.probabilities) = (name, reference, probabilities)
    }

    /// The likeliest class; of equals, the first.
    public var predicted: Int { probabilities.indices.reduce(0) { probabilities[$1] > probabilities[$0] ? $1 : $0 } }
}

/// How well images are classified: accuracy, and how well the probabilities tell each class from the others.
public struct ClassificationScores: Sendable {
    /// The names of the classes.
    public var classes: [String]
    /// The images, with their classes.
    public var images: [ClassifiedImage]

    /// The scores of images that have a reference.
    public init(classes: [String], images: [ClassifiedImage]) {
        (self.classes, self.images) = (classes, images.filter { $0.reference != nil })
    }

    /// The images whose likeliest class is the right one.
    public var accuracy: Proportion { Proportion(images.count { $0.predicted == $0.reference }, of: images.count) }

    /// The images of a class that are found.
    public func sensitivity(ofClass index: Int) -> Proportion {
        let members = images.filter { $0.reference == index }
        return Proportion(members.count { $0.predicted == index }, of: members.count)
    }

    /// How well the probability of a class tells it from the others; nil unless there are images of both kinds.
    public func area(ofClass index: Int) -> AreaUnderCurve? {
        AreaUnderCurve(
            scores: images.map { $0.probabilities[index] }, isPositive: images.map { $0.reference == index })
    }

    /// The mean area of the classes that have one; NaN if none has. Of two classes both have the same.
    public var meanArea: Double { Scores(classes.indices.compactMap { area(ofClass: $0)?.value }).mean }

    /// The content of `summary.json`.
    public func encoded() throws -> Data {
        struct Number: Encodable {
            var value: Double
            var lower, upper: Double?
            init?(_ value: Double, _ interval: Interval?) {
                guard value.isFinite else { return nil }
                (self.value, lower, upper) = (value, interval?.lower, interval?.upper)
            }
        }
        struct ClassRow: Encodable {
            var name: String
            var cases: Int
            var sensitivity, auc: Number?
        }
        struct CaseRow: Encodable {
            var name, reference, prediction: String
            var probabilities: [String: Double]
        }
        struct Summary: Encodable {
            var accuracy: Number?
            var mean_auc: Double?
            var classes: [ClassRow]
            var cases: [CaseRow]
        }
        let summary = Summary(
            accuracy: Number(accuracy.value, accuracy.interval), mean_auc: meanArea.isNaN ? nil : meanArea,
            classes: classes.indices.map { index in
                let (found, area) = (sensitivity(ofClass: index), area(ofClass: index))
                return ClassRow(
                    name: classes[index], cases: found.count, sensitivity: Number(found.value, found.interval),
                    auc: area.flatMap { Number($0.value, $0.interval) })
            },
            cases: images.map { image in
                CaseRow(
                    name: image.name, reference: classes[image.reference ?? 0], prediction: classes[image.predicted],
                    probabilities: Dictionary(uniqueKeysWithValues: zip(classes, image.probabilities)))
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(summary)
    }
}
