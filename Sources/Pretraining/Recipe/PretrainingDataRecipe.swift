import Foundation
import Tensors
import Training
import WeightFiles

/// Which images a network is pre-trained on.
public struct PretrainingDataRecipe: Hashable, Sendable {
    /// Folders of NIfTI files and nnU-Net raw datasets, of which the training images are taken.
    public var sources: [String]
    /// Cases that no stage may see, by name.
    public var excluded: [String]
    /// What an image must fulfil.
    public var selection: ImageSelection
    /// Where preprocessed images are kept; nil: in the run's own folder.
    public var store: String?
    /// How many subjects judge the network instead of training it; nil: as many as the public code takes.
    public var validationSubjects: Int?

    /// Reads the section `data`. The defaults are the thresholds of the public code.
    /// - Throws: `RecipeError`; `FileError` if the list of excluded cases cannot be read.
    public init(reading section: RecipeSection) throws {
        sources = try section.strings("sources", default: [])
        excluded = try section.strings("exclude", default: [])
        if let path = try section.optionalString("exclude_from") {
            excluded += try Self.lines(of: path)
        }
        selection = ImageSelection(
            minFieldOfViewMM: try section.double("min_field_of_view_mm", default: 50, in: 0...1e4),
            maxSpacingMM: try section.double("max_spacing_mm", default: 6.5, in: 0.001...1e4),
            minFileKilobytes: try section.double("min_file_kilobytes", default: 200, in: 0...1e9))
        store = try section.optionalString("store")
        validationSubjects = try section.optionalInteger("validation_subjects", default: nil)
    }

    /// The lines of a text file that are not empty.
    private static func lines(of path: String) throws -> [String] {
        do {
            return try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline).map {
                $0.trimmingCharacters(in: .whitespaces)
            }.filter { !$0.isEmpty }
        } catch {
            throw FileError("read", path, error)
        }
    }
}
