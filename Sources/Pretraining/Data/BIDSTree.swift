import Foundation
import Volumes

/// Images of a BIDS tree: `sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz`. Gorgolewski et al. 2016, Scientific Data 3, 160044.
enum BIDSTree {
    /// Whether a folder is the root of a tree: it describes itself and has subjects.
    static func isTree(_ path: String) -> Bool {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return entries.contains("dataset_description.json") && entries.contains { $0.hasPrefix("sub-") }
    }

    /// Suffixes of files that hold no intensities.
    private static let masks: Set<String> = ["mask", "dseg", "probseg", "defacemask"]

    /// The raw images of subjects, without derivatives and masks; the suffix is the modality.
    static func images(among files: [DatasetCase]) -> [ListedImage] {
        files.filter { $0.name.hasPrefix("sub-") }.flatMap(ListedImage.channels).compactMap { image in
            var image = image
            let suffix = image.name.split(separator: "_").last.map(String.init)
            guard suffix.map({ !masks.contains($0) }) ?? true else { return nil }
            image.modality = suffix
            return image
        }
    }
}
