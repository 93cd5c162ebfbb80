import Foundation
import Networks
import Pretraining
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

struct Med3DTests {
    private let cpu = CPU(threads: 2)

    @Test func volumesAreClippedToTheirPercentilesAndScored() throws {
        var draws = Draws(seed: 1, purpose: "test noise")
        var voxels = (0..<8000).map { _ in Float(100 + 20 * draws.normal()) }
        voxels[17] = 1e5
        let source = try ScaledSource(Patch(image: voxels, channels: 1, labels: nil, extent: 20))
        let image = try source.patch(in: VoxelBox(whole: 20)).image
        let mean = image.reduce(0.0) { $0 + Double($1) } / 8000
        let variance = image.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / 8000
        #expect(abs(mean) < 1e-4 && abs(variance - 1) < 1e-3)
        // Forty of 8000 voxels lie at or beyond each percentile, and all of them become one value.
        let (low, high) = (image.min()!, image.max()!)
        #expect(image.count { $0 == high } == 40 && image.count { $0 == low } == 40 && image[17] == high)
        let beyond = try source.patch(in: VoxelBox(origin: [-4, 0, 0], extent: 8))
        #expect(beyond.image[..<256].allSatisfy { $0 == 0 } && beyond.image[256] == image[0])
    }

    private func learner() -> DomainBranches {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [4, 6], blocks: [1, 1])
        let learner = DomainBranches(
            ResEncEncoder(plan, on: cpu), channels: 6, domains: labeledWavesData.domains, on: cpu)
        Initializer.pytorchDefault.initialize(learner, seed: 1)
        return learner
    }

    private func batch(_ images: [Int]) throws -> PatchBatch {
        try PatchBatches(
            of: images.map { labeledWavesData.training[$0] }, cutter: .plain(patch: 8, oversampling: .probability(0)),
            samples: 6, seed: 2
        ).batch(step: 0)
    }

    @Test("a batch of one domain trains the encoder and its own branch only", arguments: [0, 1])
    func onlyTheOwnBranchLearns(domain: Int) throws {
        let learner = learner()
        let gradients = learner.loss(try batch([domain, domain + 2]), in: .training).total.backward()
        for (name, parameter) in learner.namedParameters {
            let isOther = name.hasPrefix("branches.\(1 - domain)")
            #expect((gradients[parameter] == nil) == isOther, "\(name)")
        }
    }

    /// A branch that knows nothing: all classes of the domain are equally likely.
    @Test func theLossIsTheMeanOverPatches() throws {
        let learner = learner()
        for branch in learner.branches {
            branch.weight.fill(with: 0)
            branch.bias?.fill(with: 0)
        }
        let batch = try batch([0, 1])
        let entropies = batch.domains.map { log(Double(labeledWavesData.domains[$0].classes)) }
        let expected = entropies.reduce(0, +) / 6
        #expect(Set(batch.domains).count == 2)
        #expect(abs(Double(learner.loss(batch, in: .inference).total.item) - expected) < 1e-5)
    }

    @Test("datasets become domains of their own voxel size", arguments: ["resenc", "resnet-10"])
    func domains(backbone: String) throws {
        try withFolder { folder in
            for (name, spacing) in [("coarse", 3.0), ("fine", 1.5)] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)/imagesTr", withIntermediateDirectories: true)
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)/labelsTr", withIntermediateDirectories: true)
                let geometry = Geometry(extent: 12, spacingMM: [spacing, spacing, spacing])
                for index in 0..<2 {
                    let labels = (0..<1728).map { voxel -> Float in voxel % 5 == 0 ? 1 : 0 }
                    let voxels = (0..<1728).map { voxel -> Float in Float(1 + (voxel + index) % 91) }
                    try NIfTIFile.write(
                        Volume(voxels: voxels, geometry: geometry),
                        to: "\(folder)/\(name)/imagesTr/case\(index)_0000.nii.gz")
                    try NIfTIFile.write(
                        Volume(voxels: labels, geometry: geometry), to: "\(folder)/\(name)/labelsTr/case\(index).nii.gz"
                    )
                }
                try """
                {"channel_names": {"0": "CT"}, "labels": {"background": 0, "organ": 1}, "numTraining": 2,
                 "file_ending": ".nii.gz", "name": "\(name)"}
                """.write(toFile: "\(folder)/\(name)/dataset.json", atomically: true, encoding: .utf8)
            }
            let text = """
                method: med3d
                data: {sources: ['\(folder)/coarse', '\(folder)/fine'], min_field_of_view_mm: 0, min_file_kilobytes: 0,
                  validation_subjects: 0}
                plan: {patch: 8, batch: 2, features: [4, 6], blocks: [1, 1]}
                schedule: {stages: [{steps: 2, shape: constant, peak: 0.01}]}
                validation: {batches: 0}
                branches: {backbone: \(backbone)\(backbone == "resenc" ? "" : ", width: 4")}
                """
            let recipe = try RecipeDocument.parse(text).resolve(PretrainingRecipe.init(reading:))
            var progress = Progress.silent
            try PretrainingRun(recipe.0, resolved: recipe.1, path: "\(folder)/run")
                .train(resumes: false, on: cpu, progress: &progress)
            #expect(try logged("loss", at: "\(folder)/run", as: Double.self).count == 2)
            for (store, spacing) in [("0-coarse", 3.0), ("1-fine", 1.5)] {
                let opened = try PreprocessedStore(opening: "\(folder)/run/store/\(store)")
                #expect(
                    opened.caseNames == ["case0", "case1"] && opened.plan.spacingMM == [spacing, spacing, spacing])
            }
            let file = try WeightsFile.read("\(folder)/run/weights.safetensors")
            #expect(file.card?.normalization == ["clipped_z_score"] && file.card?.spacingMM == [0, 0, 0])
            #expect(file.plan?.resNet == (backbone == "resenc" ? nil : ResNetShape.tiny))
            #expect(
                file.weights.tensors["encoder.layer4.0.conv1.weight"]?.shape
                    == (backbone == "resenc" ? nil : [32, 16, 3, 3, 3]))
            #expect(FileManager.default.fileExists(atPath: "\(folder)/run/left_out.json"))
            let unlabeled = try RecipeDocument.parse(text, overrides: ["data.sources=['\(folder)']"])
                .resolve(PretrainingRecipe.init(reading:))
            #expect(throws: PretrainingDataError.notLabeled(folder)) {
                try PretrainingRun(unlabeled.0, resolved: unlabeled.1, path: "\(folder)/other")
                    .train(resumes: false, on: cpu, progress: &progress)
            }
        }
    }
}

extension ResNetShape {
    fileprivate static var tiny: ResNetShape {
        var shape = ResNetShape(.ten)
        shape.width = 4
        return shape
    }
}
