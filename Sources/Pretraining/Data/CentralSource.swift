import Tensors
import Volumes

/// The middle of an image as an image of its own.
struct CentralSource: VoxelSource, Sendable {
    private let source: any VoxelSource & Sendable
    private let region: VoxelBox

    /// The `extent` voxels in the middle of `source`; zero where the source is smaller.
    init(of source: any VoxelSource & Sendable, extent: Extent3) {
        self.source = source
        region = VoxelBox(whole: source.extent).centered(extent)
    }

    var extent: Extent3 { region.extent }
    var channels: Int { source.channels }
    var isLabeled: Bool { source.isLabeled }

    func patch(in box: VoxelBox) throws -> Patch {
        try source.patch(
            in: VoxelBox(origin: zip(box.origin, region.origin).map { $0 + $1 }, extent: box.extent))
    }
}

extension PretrainingData {
    /// Data of which only the `extent` voxels in the middle of each image are used.
    func middles(of extent: Extent3) -> PretrainingData {
        func middle(_ image: Image) -> Image {
            Image(
                name: image.name, source: CentralSource(of: image.source, extent: extent), weight: image.weight,
                domain: image.domain)
        }
        return PretrainingData(training: training.map(middle), validation: validation.map(middle), domains: domains)
    }
}
