/// Maps side by side along the channels.
///
/// - Parameter maps: `[N, D, H, W, C_i]`, dense, equal but for their channels. The result is `[N, D, H, W, sum of C_i]`.
public func concatenate(_ maps: [Tensor]) -> Tensor {
    let first = maps[0].shape
    check(
        maps.allSatisfy { $0.shape.dimensions.dropLast() == first.dimensions.dropLast() && $0.visibility == nil },
        "concatenate wants dense maps of one extent, got \(maps.map(\.shape))")
    let channels = maps.map { $0.shape.dimensions.last! }
    let total = channels.reduce(0, +)
    let offsets = channels.indices.map { channels[..<$0].reduce(0, +) }
    let voxels = first.dimensions.dropLast().reduce(1, *)
    let cpu = maps[0].cpu
    let shape = Shape(first.dimensions.dropLast() + [total])
    let result = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: cpu))
    cpu.parallel((voxels + 1023) / 1024) { task in
        for voxel in (task * 1024)..<min(voxels, task * 1024 + 1024) {
            for (map, tensor) in maps.enumerated() {
                (result.pointer + voxel * total + offsets[map])
                    .update(from: tensor.pointer + voxel * channels[map], count: channels[map])
            }
        }
    }
    return result.recorded(from: maps) { gradient in
        maps.indices.map { map in
            guard maps[map].needsGradient else { return nil }
            let part = Tensor(shape: maps[map].shape, buffer: Buffer(count: maps[map].shape.count, on: cpu))
            cpu.parallel((voxels + 1023) / 1024) { task in
                for voxel in (task * 1024)..<min(voxels, task * 1024 + 1024) {
                    (part.pointer + voxel * channels[map])
                        .update(from: gradient.pointer + voxel * total + offsets[map], count: channels[map])
                }
            }
            return part
        }
    }
}
