import Pretraining
import Tensors
import Testing

struct BlockMaskingTests {
    private static let large = Extent3(160)

    /// The table of cells of a 160³ patch: 75 %, 60 % and 90 % of 125 and of 1000 cells.
    @Test(
        "exactly m blocks of every sample are hidden",
        arguments: [(32, 0.75, 93), (32, 0.6, 75), (32, 0.9, 112), (16, 0.75, 750)])
    func hiddenCount(edge: Int, ratio: Double, hidden: Int) throws {
        let masking = try BlockMasking(patch: Self.large, block: Extent3(edge), ratio: .fixed(ratio))
        #expect(masking.hiddenCells(at: ratio) == hidden)
        let mask = masking.mask(samples: 3, seed: 5, step: 17)
        for sample in 0..<3 { #expect(masking.grid.volume - mask.visibleCells(in: sample) == hidden) }
        #expect(mask.voxels(in: Self.large).count { $0 == 0 } == 3 * hidden * edge * edge * edge)
    }

    @Test func aDrawnRatioIsOneForTheBatchAndAnotherForTheNext() throws {
        let masking = try BlockMasking(patch: Self.large, block: 16, ratio: .uniform(0.6..<0.9))
        let counts = (0..<200).map { step in
            let mask = masking.mask(samples: 2, seed: 1, step: step)
            #expect(mask.visibleCells(in: 0) == mask.visibleCells(in: 1))
            return 1000 - mask.visibleCells(in: 0)
        }
        #expect(counts.min()! >= 600 && counts.min()! < 615 && counts.max()! < 900 && counts.max()! > 885)
        #expect(abs(Double(counts.reduce(0, +)) / 200 - 750) < 20)
    }

    @Test func masksAreAFunctionOfSeedAndStep() throws {
        let masking = try BlockMasking(patch: 64, block: 16, ratio: .fixed(0.75))
        let mask = masking.mask(samples: 2, seed: 1, step: 4)
        #expect(masking.mask(samples: 2, seed: 1, step: 4) == mask)
        #expect(masking.mask(samples: 2, seed: 1, step: 5) != mask)
        #expect(masking.mask(samples: 2, seed: 2, step: 4) != mask)
        #expect(mask.visible[..<64] != mask.visible[64...], "samples must not share their mask")
        // More samples leave the first ones as they are.
        #expect(masking.mask(samples: 1, seed: 1, step: 4).visible[...] == mask.visible[..<64])
    }

    /// Every cell is hidden equally often.
    @Test func noPlaceIsPreferred() throws {
        let masking = try BlockMasking(patch: 32, block: 16, ratio: .fixed(0.5))
        var hidden = [Int](repeating: 0, count: 8)
        for step in 0..<2000 {
            for (cell, isVisible) in masking.mask(samples: 1, seed: 3, step: step).visible.enumerated() where !isVisible
            {
                hidden[cell] += 1
            }
        }
        // Binomial with 2000 draws of 1/2: deviation 22.
        #expect(hidden.allSatisfy { abs($0 - 1000) < 110 }, "\(hidden)")
    }

    @Test func impossibleMasksAreRefused() {
        func make(_ patch: Extent3, _ ratio: BlockMasking.Ratio) throws {
            _ = try BlockMasking(patch: patch, block: 16, ratio: ratio)
        }
        let uneven = Extent3(depth: 32, height: 40, width: 32)
        #expect(throws: BlockMaskingError.indivisible(patch: uneven, block: 16)) { try make(uneven, .fixed(0.5)) }
        #expect(throws: BlockMaskingError.ratioOutside(0...0)) { try make(32, .fixed(0)) }
        #expect(throws: BlockMaskingError.ratioOutside(1...1)) { try make(32, .fixed(1)) }
        #expect(throws: BlockMaskingError.ratioOutside(0.5...1.5)) { try make(32, .uniform(0.5..<1.5)) }
        #expect(throws: BlockMaskingError.hidesNothing(ratio: 0.1, cells: 8)) { try make(32, .fixed(0.1)) }
        #expect(throws: BlockMaskingError.hidesNothing(ratio: 0.75, cells: 1)) { try make(16, .fixed(0.75)) }
    }
}
