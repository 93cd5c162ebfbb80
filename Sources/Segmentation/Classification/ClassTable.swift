import Evaluation
import Foundation
import WeightFiles

/// The classes that a network gives to images: a table with a line for each, `case,class` and the probability of each class,
/// such as `nodule_001,benign,0.8712,0.1288`.
public struct ClassTable: Sendable {
    /// What the file is called in a folder of predictions.
    public static let fileName = "class-probabilities.csv"

    /// The names of the classes.
    public var classes: [String]
    /// The images, in the order of the lines.
    public var images: [ClassifiedImage]

    /// A table of these images.
    public init(classes: [String], images: [ClassifiedImage]) { (self.classes, self.images) = (classes, images) }

    /// The lines.
    public var text: String {
        let header = ["case", "class"] + classes.map { "p(\($0))" }
        let rows = images.map { image in
            [image.name, classes[image.predicted]] + image.probabilities.map { String(format: "%.6f", $0) }
        }
        return ([header] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
    }

    /// Writes the table.
    /// - Throws: ``FileError``.
    public func write(to path: String) throws { try AtomicFile.write(Data(text.utf8), to: path) }
}
