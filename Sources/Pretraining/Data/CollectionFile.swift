import Foundation
import Volumes

/// nnssl's `pretrain_data.json`: datasets of subjects of sessions of images, with modalities and masks.
struct CollectionFile {
    /// All images.
    let images: [ListedImage]

    /// The file's name in a source's folder.
    static let fileName = "pretrain_data.json"

    /// The collection file that `source` is or holds; nil if there is none.
    static func path(in source: String) -> String? {
        if (source as NSString).lastPathComponent == fileName { return source }
        let inside = "\(source)/\(fileName)"
        return FileManager.default.fileExists(atPath: inside) ? inside : nil
    }

    /// Reads a file. Paths in it may begin with an environment variable, `$nnssl_raw/...`, or be relative to the file.
    /// - Throws: ``PretrainingDataError``: `badCollection`.
    init(path: String) throws {
        func problem(_ text: String) -> PretrainingDataError { .badCollection(path: path, problem: text) }
        guard let content = FileManager.default.contents(atPath: path) else { throw problem("the file cannot be read") }
        let collection: Collection
        do {
            collection = try JSONDecoder().decode(Collection.self, from: content)
        } catch {
            throw problem("this is not a collection of nnssl: \(error)")
        }
        func resolved(_ written: String) throws -> String {
            guard written.hasPrefix("$") else {
                return written.hasPrefix("/")
                    ? written : "\((path as NSString).deletingLastPathComponent)/\(written)"
            }
            let name = String(written.dropFirst().prefix { $0 != "/" })
            guard let value = ProcessInfo.processInfo.environment[name] else {
                throw problem("'\(written)' needs the environment variable \(name), which is not set")
            }
            return value + written.dropFirst(name.count + 1)
        }
        var images: [ListedImage] = []
        for (dataset, content) in collection.datasets.sorted(by: { $0.key < $1.key }) {
            for (subject, content) in content.subjects.sorted(by: { $0.key < $1.key }) {
                for (session, content) in content.sessions.sorted(by: { $0.key < $1.key }) {
                    for image in content.images {
                        let name = [dataset, subject, session, image.stem].joined(separator: "__")
                            .replacingOccurrences(of: "/", with: "_")
                        images.append(
                            ListedImage(
                                name: name, caseName: name, subject: "\(dataset)__\(subject)",
                                path: try resolved(image.path), modality: image.modality,
                                regions: RegionMasks(
                                    anatomy: try image.masks?.anatomy.map(resolved),
                                    anonymization: try image.masks?.anonymization.map(resolved))))
                    }
                }
            }
        }
        let names = Dictionary(images.map { ($0.name, 1) }, uniquingKeysWith: +)
        if let twice = names.first(where: { $0.value > 1 })?.key { throw problem("two images are called \(twice)") }
        self.images = images
    }

    private struct Collection: Decodable {
        let datasets: [String: Dataset]
    }

    private struct Dataset: Decodable {
        let subjects: [String: Subject]
    }

    private struct Subject: Decodable {
        let sessions: [String: Session]
    }

    private struct Session: Decodable {
        let images: [Image]
    }

    private struct Image: Decodable {
        let name: String
        let path: String
        let modality: String?
        let masks: Masks?

        enum CodingKeys: String, CodingKey {
            case name, modality
            case path = "image_path"
            case masks = "associated_masks"
        }

        var stem: String {
            [".nii.gz", ".nii"].first { name.hasSuffix($0) }.map { String(name.dropLast($0.count)) } ?? name
        }
    }

    private struct Masks: Decodable {
        let anatomy: String?
        let anonymization: String?

        enum CodingKeys: String, CodingKey {
            case anatomy = "anatomy_mask"
            case anonymization = "anonymization_mask"
        }
    }
}
