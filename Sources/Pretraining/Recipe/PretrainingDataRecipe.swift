import Foundation
import Tensors
import Training
import WeightFiles

/// Which images a network is pre-trained on.
public struct PretrainingDataRecipe: Hashable, Sendable {
    /// Folders of NIfTI files, BIDS trees, nnssl's collections (`pretrain_data.json`) and nnU-Net raw datasets, of which the
    /// training images are taken.
    public var sources: [String]
    /// How likely an image of each source is drawn, all its images together; empty: all images are equally likely.
    public var weights: [Double]
    /// Which modalities are used.
    public var modalities: ModalityFilter
    /// Whether masks of anatomy are 1 where there is none, as in the public code.
    public var invertsAnatomy: Bool
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
        weights = try section.doubles("weights", default: [], in: 0.000_001...1e6)
        guard weights.isEmpty || weights.count == sources.count else {
            throw section.error(at: "weights", "expected one weight for each of the \(sources.count) sources")
        }
        modalities = ModalityFilter(
            only: try section.strings("modalities", default: []),
            without: try section.strings("excluded_modalities", default: ["SWI", "ADC", "phase", "DWI"]))
        invertsAnatomy = try section.bool("inverted_anatomy_masks", default: true)
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

    /// For each image, by the index of its source: the source's weight, shared by its images.
    func imageWeights(ofSources indices: [Int]) -> [Double] {
        guard !weights.isEmpty else { return indices.map { _ in 1 } }
        let counts = Dictionary(indices.map { ($0, 1) }, uniquingKeysWith: +)
        return indices.map { weights[$0] / Double(counts[$0] ?? 1) }
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
