import CKernels

/// The cubes of a ``CubeProduct`` that hold, or see, in the channels of a ``Filling`` the same as an earlier one. Cubes that
/// agree so are of one kind; kinds are told apart by sample and, at the map's faces, by place.
struct RepeatedCubes {
    /// The first cube of each kind, and all that are of no kind.
    let others: PixelChunks
    /// Those that repeat the first of their kind. All cubes of a run are of one kind.
    let repeated: PixelChunks
    /// The first cube of each kind.
    private(set) var firsts: [(sample: Int, cube: Extent3)] = []
    /// The channels in which they agree are those from this one on.
    let firstChannel: Int
    /// The outputs of a cube along each axis.
    let edges: Extent3
    /// The map of all cubes' outputs.
    let extent: Extent3
    /// The cubes of a sample.
    private let grid: Extent3
    /// Of each repeated cube, `[sample, depth, height, width]`; -1 for others.
    private let kinds: [Int]

    /// - Parameters:
    ///   - product: a dense one.
    ///   - channels: those of the map that is filled.
    ///   - sees: whether that is the source, and cubes agree if their neighbourhoods do. Otherwise it is the map of the cubes.
    /// - Returns: `nil` where nothing is known of the map, or too little repeats to gain.
    init?(_ product: CubeProduct, channels: Int, sees: Bool) {
        let (gathered, shape) = (product.product, product.shape)
        let grid = shape.grid(over: gathered.pixels)
        guard let filling = gathered.filling, gathered.mask == nil, gathered.sourceMask == nil,
            channels - filling.firstChannel >= Self.fewestChannels, grid.volume > Self.fewest
        else { return nil }
        let filled = sees ? gathered.source.shape.extent : gathered.pixels
        let lines = (0..<3).map { axis in
            CubeLine(
                cubes: grid[axis], edge: shape.edges[axis],
                before: filling.reach[axis] + (sees ? product.before[axis] : 0),
                length: (sees ? shape.neighbourhood : shape.edges)[axis] + 2 * filling.reach[axis],
                extent: filled[axis], cells: filling.mask.grid[axis])
        }
        var kinds: [Int] = []
        for sample in 0..<filling.mask.samples {
            let (found, new) = Self.kinds(
                of: grid, in: filling.mask, sample, lines[0], lines[1], lines[2], from: firsts.count)
            // Each sample by itself: a batch gives the bits of its samples.
            let pays = found.count { $0 >= 0 } >= Self.fewest
            kinds += pays ? found : [Int](repeating: -1, count: grid.volume)
            firsts += pays ? new.map { (sample, $0) } : []
        }
        guard !firsts.isEmpty else { return nil }
        func chunks(repeated: Bool) -> PixelChunks {
            PixelChunks(samples: filling.mask.samples, extent: grid, limit: Int(WS_CUBES)) { sample, depth, height in
                let row = grid.row(sample, depth, height)
                var (ranges, start) = ([Range<Int>](), 0)
                for end in 1...grid.width where end == grid.width || kinds[row + end] != kinds[row + start] {
                    if (kinds[row + start] >= 0) == repeated { ranges.append(start..<end) }
                    start = end
                }
                return ranges
            }
        }
        (others, repeated) = (chunks(repeated: false), chunks(repeated: true))
        (firstChannel, edges, extent) = (filling.firstChannel, shape.edges, gathered.pixels)
        (self.grid, self.kinds) = (grid, kinds)
    }

    /// The kind of a run's cubes.
    func kind(of run: ws_run) -> Int {
        kinds[grid.row(Int(run.sample), Int(run.depth), Int(run.height)) + Int(run.width)]
    }

    /// The kinds of a sample's cubes, numbered from `number` on, -1 for the first of each and those of none; and the firsts.
    private static func kinds(
        of grid: Extent3, in mask: BlockMask, _ sample: Int, _ depths: CubeLine, _ heights: CubeLine,
        _ widths: CubeLine, from number: Int
    ) -> (kinds: [Int], firsts: [Extent3]) {
        var (kinds, firsts, atPlace) = ([Int](), [Extent3](), [Int: Int]())
        kinds.reserveCapacity(grid.volume)
        for depth in 0..<grid.depth {
            for height in 0..<grid.height {
                let row = (depths.places[depth] * (grid.height + 1) + heights.places[height]) * (grid.width + 1)
                for width in 0..<grid.width {
                    guard
                        mask.isHidden(sample, depths.cells[depth], heights.cells[height], widths.cells[width])
                    else {
                        kinds.append(-1)
                        continue
                    }
                    let place = row + widths.places[width]
                    if let kind = atPlace[place] {
                        kinds.append(kind)
                    } else {
                        atPlace[place] = number + firsts.count
                        firsts.append(Extent3(depth: depth, height: height, width: width))
                        kinds.append(-1)
                    }
                }
            }
        }
        return (kinds, firsts)
    }

    /// By the estimate of ``CubeShape``, fewer repeated cubes in a sample hardly earn back that weights are spread once more,
    /// which takes as long as 32 cubes, and that up to 27 kinds are multiplied, with weights of their own.
    private static let fewest = 192
    /// Narrower maps gain less, as the transforms stay, and keep the sums, and so the bits, with which `Weights/` was
    /// trained.
    private static let fewestChannels = 32
}

/// The cubes along an axis of a filled map.
private struct CubeLine {
    /// The cells of the mask that a cube depends on.
    var cells: [Range<Int>] = []
    /// Where a cube that depends on what lies outside stands; 0 for all others.
    var places: [Int] = []

    /// - Parameters:
    ///   - before: how many voxels before its own first one a cube depends on.
    ///   - length: the voxels, all in all, that it depends on.
    init(cubes: Int, edge: Int, before: Int, length: Int, extent: Int, cells count: Int) {
        let cell = extent / count
        for cube in 0..<cubes {
            let start = cube * edge - before
            let (first, end) = (max(0, start), min(extent, start + length))
            cells.append(first < end ? first / cell..<(end - 1) / cell + 1 : 0..<0)
            places.append(end - first == length ? 0 : cube + 1)
        }
    }
}

extension BlockMask {
    /// Whether all cells in a box are hidden.
    fileprivate func isHidden(
        _ sample: Int, _ depths: Range<Int>, _ heights: Range<Int>, _ widths: Range<Int>
    ) -> Bool {
        for depth in depths {
            for height in heights {
                for width in widths where isVisible(sample: sample, depth: depth, height: height, width: width) {
                    return false
                }
            }
        }
        return true
    }
}
