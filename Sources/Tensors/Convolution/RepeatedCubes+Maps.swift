import CKernels

/// What maps hold at the cubes, as small maps `[kinds, depth, height, width, channels]` of one box of voxels per kind.
///
/// A box begins `before` voxels before the cube's own first one; it holds zero outside the map.
extension RepeatedCubes {
    /// The voxels at the first cube of each kind, some channels of them.
    func firstBoxes(in map: Tensor, channels: Range<Int>, before: Extent3, _ box: Extent3) -> Tensor {
        let (extent, all) = (map.shape.extent, map.shape.channels)
        return Tensor(uninitialized: shape(box, channels.count), on: map.cpu) { boxes in
            boxes.update(repeating: 0)
            for (kind, (sample, cube)) in firsts.enumerated() {
                for depth in 0..<box.depth {
                    for height in 0..<box.height {
                        guard
                            let row = row(
                                of: extent, sample, cube.depth * edges.depth + depth - before.depth,
                                cube.height * edges.height + height - before.height)
                        else { continue }
                        let start = cube.width * edges.width - before.width
                        for width in inside(start, box.width, extent.width) {
                            let place = ((kind * box.depth + depth) * box.height + height) * box.width + width
                            (boxes.baseAddress! + place * channels.count).update(
                                from: map.pointer + (row + start + width) * all + channels.lowerBound,
                                count: channels.count)
                        }
                    }
                }
            }
        }
    }

    /// The sums of the voxels at the repeated cubes of each kind, first along runs: rounding errors stay small.
    func sums(of map: Tensor, before: Extent3, _ box: Extent3) -> Tensor {
        let (extent, channels) = (map.shape.extent, map.shape.channels)
        let rowLength = box.width * channels
        return Tensor(uninitialized: shape(box, channels), on: map.cpu) { sums in
            sums.update(repeating: 0)
            let sums = sums.baseAddress!
            map.cpu.parallel(box.depth * box.height) { line in
                let partial = Buffer(count: rowLength, on: map.cpu)
                for run in repeated.runs {
                    guard
                        let row = row(
                            of: extent, Int(run.sample),
                            Int(run.depth) * edges.depth + line / box.height - before.depth,
                            Int(run.height) * edges.height + line % box.height - before.height)
                    else { continue }
                    partial.pointer.update(repeating: 0, count: rowLength)
                    for cube in Int(run.width)..<Int(run.width + run.count) {
                        let start = cube * edges.width - before.width
                        let some = inside(start, box.width, extent.width)
                        let source = map.pointer + (row + start) * channels
                        for i in (some.lowerBound * channels)..<(some.upperBound * channels) {
                            partial.pointer[i] += source[i]
                        }
                    }
                    let target = sums + (kind(of: run) * box.depth * box.height + line) * rowLength
                    for i in 0..<rowLength { target[i] += partial.pointer[i] }
                }
            }
        }
    }

    /// Calls `body` with the place of each voxel in its cube, its index in the map, and the kind, for the cubes of a chunk.
    func forEachVoxel(ofChunk chunk: Int, _ body: (_ kind: Int, _ place: Int, _ voxel: Int) -> Void) {
        for run in repeated.runs[repeated.chunks[chunk]] {
            let kind = kind(of: run)
            for width in Int(run.width)..<Int(run.width + run.count) {
                let cube = Extent3(depth: Int(run.depth), height: Int(run.height), width: width)
                forEachVoxel(of: cube, sample: Int(run.sample)) { body(kind, $0, $1) }
            }
        }
    }

    /// Calls `body` with the place of each voxel in its cube, its index in the map, and the kind, for the first of each kind.
    func forEachVoxelOfFirsts(_ body: (_ kind: Int, _ place: Int, _ voxel: Int) -> Void) {
        for (kind, (sample, cube)) in firsts.enumerated() {
            forEachVoxel(of: cube, sample: sample) { body(kind, $0, $1) }
        }
    }

    /// The shape of a map with a box per kind.
    func shape(_ box: Extent3, _ channels: Int) -> Shape {
        Shape(samples: firsts.count, extent: box, channels: channels)
    }

    private func forEachVoxel(of cube: Extent3, sample: Int, _ body: (_ place: Int, _ voxel: Int) -> Void) {
        for depth in 0..<edges.depth {
            for height in 0..<edges.height {
                guard
                    let row = row(
                        of: extent, sample, cube.depth * edges.depth + depth, cube.height * edges.height + height)
                else { continue }
                let start = cube.width * edges.width
                for width in inside(start, edges.width, extent.width) {
                    body((depth * edges.height + height) * edges.width + width, row + start + width)
                }
            }
        }
    }

    /// ``Extent3/row(_:_:_:)``, or `nil` outside the map.
    private func row(of extent: Extent3, _ sample: Int, _ depth: Int, _ height: Int) -> Int? {
        guard (0..<extent.depth).contains(depth), (0..<extent.height).contains(height) else { return nil }
        return extent.row(sample, depth, height)
    }

    /// Which of `length` voxels from `start` on lie on an axis of `extent`.
    private func inside(_ start: Int, _ length: Int, _ extent: Int) -> Range<Int> {
        let first = max(0, -start)
        return first..<max(first, min(length, extent - start))
    }
}
