import Foundation
import Tensors
import Volumes

extension Volume {
    /// Grid, place and intensities.
    var facts: Facts {
        var facts = Facts()
        facts.add("content", "volume")
        facts.add("channels", channels)
        facts.add("extent", extent.dimensions, text: "\(extent) voxels (depth, height, width)")
        facts.add("spacing_mm", spacingMM, text: spacingMM.map(Self.short).joined(separator: " x ") + " mm")
        facts.add("size_mm", sizeMM, text: sizeMM.map(Self.short).joined(separator: " x ") + " mm")
        if let header {
            facts.add("stored_as", "\(header.dataType)", text: "\(header.dataType), NIfTI-\(header.version)")
            facts.add("affine_from", header.affineSource.rawValue)
        }
        facts.add("origin_mm", [affine.originMM.x, affine.originMM.y, affine.originMM.z], text: origin)
        let finite = voxels.filter(\.isFinite)
        let mean = finite.reduce(0.0) { $0 + Double($1) } / Double(max(finite.count, 1))
        if let low = finite.min(), let high = finite.max() {
            facts.add(
                "intensities", [Double(low), mean, Double(high)], text: "\(low) to \(high), mean \(Self.short(mean))")
        }
        if nonFiniteCount > 0 { facts.add("not_finite", nonFiniteCount, text: "\(nonFiniteCount) voxels") }
        return facts
    }

    private var sizeMM: [Double] { zip(spacingMM, extent.dimensions).map { $0 * Double($1) } }
    private var origin: String {
        [affine.originMM.x, affine.originMM.y, affine.originMM.z].map(Self.short).joined(separator: ", ") + " (RAS+)"
    }
    private static func short(_ value: Double) -> String { String(format: "%.4g", value) }
}

extension NNUNetDataset {
    /// Channels, classes and cases; extents and spacings as the files' headers state them.
    var facts: Facts {
        get throws {
            var facts = Facts()
            facts.add("content", "dataset")
            facts.add("name", name)
            facts.add("channels", channelNames, text: channelNames.joined(separator: ", "))
            facts.add(
                "classes", classes.map(\.name), text: classes.map { "\($0.label) \($0.name)" }.joined(separator: ", "))
            facts.add("labeled_cases", trainingCases.count)
            facts.add("unlabeled_cases", testCases.count)
            try facts.addGrids(of: trainingCases + testCases)
            return facts
        }
    }
}

extension ImageFolder {
    /// The number of images and their grids.
    var facts: Facts {
        get throws {
            var facts = Facts()
            facts.add("content", "folder of images")
            facts.add("images", cases.count)
            try facts.addGrids(of: cases)
            return facts
        }
    }
}

extension PreprocessedStore {
    /// The plan and the number of cases.
    var facts: Facts {
        var facts = plan.facts
        facts.add("store", path)
        facts.add("cases", caseNames.count)
        return facts
    }
}

extension Plan {
    /// What was decided.
    var facts: Facts {
        var facts = Facts()
        facts.add("content", "plan")
        facts.add("name", name)
        facts.add(
            "spacing_mm", spacingMM,
            text: spacingMM.map { $0.map { String(format: "%.4g", $0) } ?? "own" }.joined(separator: " x ") + " mm")
        facts.add("patch", patch.dimensions, text: "\(patch) voxels")
        facts.add("batch", batch)
        facts.add("channels", channels.map(\.name), text: channels.map(\.name).joined(separator: ", "))
        facts.add("output_channels", outputChannels)
        facts.add(
            "network", network.features,
            text: "\(network.architecture), channels \(network.features.map(String.init).joined(separator: "/"))")
        return facts
    }
}

extension Facts {
    /// Adds smallest, median and largest extent and spacing along each axis.
    fileprivate mutating func addGrids(of cases: [DatasetCase]) throws {
        let grids = try cases.compactMap { try $0.imagePaths.first.map { try NIfTIFile.readHeader($0).geometry } }
        guard !grids.isEmpty else { return }
        func range(_ values: [[Double]], _ row: ([Double]) -> Double) -> [Double] {
            (0..<3).map { axis in row(values.map { $0[axis] }.sorted()) }
        }
        var table = TextTable(columns: ["grid", "smallest", "median", "largest"], numeric: [1, 2, 3])
        for (name, values) in [
            ("voxels", grids.map { $0.extent.dimensions.map(Double.init) }), ("spacing in mm", grids.map(\.spacingMM)),
        ] {
            let rows = [
                range(values) { $0[0] }, range(values) { $0[$0.count / 2] }, range(values) { $0[$0.count - 1] },
            ]
            table.rows.append(
                ["\(name)"]
                    + rows.map { row in
                        TextTable.Cell(row, row.map { String(format: "%.4g", $0) }.joined(separator: " x "))
                    })
        }
        add("grids", table)
    }
}
