// swift-tools-version: 6.1
import PackageDescription

// Imports go one way: a room may name only rooms that stand above it in this list.
let package = Package(
    name: "warmstart",
    products: [.executable(name: "warmstart", targets: ["warmstart"])],
    traits: [
        .trait(
            name: "MPI", description: "Training on several machines, with the MPI that is installed (mpi.h, libmpi).")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C: microkernels, and module maps for Debian's libraries.
        .target(name: "CKernels"),
        .target(
            name: "CNIfTI", linkerSettings: [.linkedLibrary("nifti2"), .linkedLibrary("znz"), .linkedLibrary("z")]),
        .target(name: "CSystem"),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
        .target(name: "CZstd", linkerSettings: [.linkedLibrary("zstd")]),

        // Empty without the trait.
        .target(
            name: "CMPI", cSettings: [.define("WS_MPI", .when(traits: ["MPI"]))],
            linkerSettings: [.linkedLibrary("mpi", .when(traits: ["MPI"]))]),

        .target(name: "Tensors", dependencies: ["CKernels"]),
        .target(name: "Ranks", dependencies: ["Tensors", "CMPI"]),
        .target(name: "Networks", dependencies: ["Tensors"]),
        .target(name: "WeightFiles", dependencies: ["Networks", "Tensors", "CSystem", "CZlib"]),
        .target(name: "Volumes", dependencies: ["WeightFiles", "Networks", "Tensors", "CNIfTI", "CZlib", "CZstd"]),
        .target(name: "Evaluation", dependencies: ["Volumes", "Tensors"]),
        .target(name: "Augmentation", dependencies: ["Volumes", "Tensors"]),
        .target(
            name: "Training",
            dependencies: [
                "Augmentation", "Volumes", "WeightFiles", "Networks", "Ranks", "Tensors", "CZlib", "Yams",
            ]),
        .target(
            name: "Pretraining",
            dependencies: ["Training", "Augmentation", "Volumes", "WeightFiles", "Networks", "Ranks", "Tensors"]),
        .target(
            name: "Segmentation",
            dependencies: [
                "Training", "Augmentation", "Evaluation", "Volumes", "WeightFiles", "Networks", "Ranks", "Tensors",
            ]),
        .target(
            name: "Finetuning",
            dependencies: [
                "Segmentation", "Training", "Augmentation", "Evaluation", "Volumes", "WeightFiles", "Networks",
                "Ranks", "Tensors",
            ]),
        .target(
            name: "Experiments",
            dependencies: [
                "Finetuning", "Segmentation", "Pretraining", "Training", "Evaluation", "Volumes", "WeightFiles",
                "Networks", "Ranks", "Tensors",
            ]),
        .executableTarget(
            name: "warmstart",
            dependencies: [
                "Experiments", "Finetuning", "Segmentation", "Pretraining", "Training", "Evaluation", "Volumes",
                "WeightFiles", "Networks", "Ranks", "Tensors",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
        .testTarget(name: "RanksTests", dependencies: ["Ranks", "Tensors"]),
        .testTarget(name: "NetworksTests", dependencies: ["Networks", "Tensors"]),
        .testTarget(name: "WeightFilesTests", dependencies: ["WeightFiles", "Networks", "Tensors"]),
        .testTarget(name: "VolumesTests", dependencies: ["Volumes", "WeightFiles", "Tensors"]),
        .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "Volumes", "Tensors"]),
        .testTarget(name: "AugmentationTests", dependencies: ["Augmentation", "Volumes", "Tensors"]),
        .testTarget(name: "TrainingTests", dependencies: ["Training", "WeightFiles", "Networks", "Ranks", "Tensors"]),
        .testTarget(
            name: "PretrainingTests",
            dependencies: [
                "Pretraining", "Training", "Augmentation", "Volumes", "WeightFiles", "Networks", "Ranks", "Tensors",
            ]),
        .testTarget(
            name: "SegmentationTests",
            dependencies: [
                "Segmentation", "Training", "Augmentation", "Volumes", "WeightFiles", "Networks", "Ranks", "Tensors",
            ]),
        .testTarget(
            name: "FinetuningTests",
            dependencies: [
                "Finetuning", "Segmentation", "Training", "Augmentation", "Volumes", "WeightFiles", "Networks",
                "Ranks", "Tensors",
            ]),
        .testTarget(
            name: "ExperimentsTests",
            dependencies: [
                "Experiments", "Finetuning", "Evaluation", "Training", "Volumes", "WeightFiles", "Networks", "Ranks",
                "Tensors",
            ]),
        .testTarget(name: "warmstartTests", dependencies: ["warmstart", "Volumes", "WeightFiles", "Tensors"]),
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "Finetuning", "Segmentation", "Pretraining", "Training", "Evaluation", "Volumes", "WeightFiles",
                "Networks", "Tensors",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
