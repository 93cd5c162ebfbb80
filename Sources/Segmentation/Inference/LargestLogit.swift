/// The class of the largest logit of each voxel; of equals, the first.
/// - Parameter logits: `[K, D, H, W]`.
/// - Returns: `[D, H, W]`.
func largestLogits(_ logits: [Float], classes: Int) -> [Int16] {
    let volume = logits.count / classes
    var best = Array(logits[..<volume])
    var labels = [Int16](repeating: 0, count: volume)
    for label in 1..<max(1, classes) {
        for voxel in 0..<volume where logits[label * volume + voxel] > best[voxel] {
            best[voxel] = logits[label * volume + voxel]
            labels[voxel] = Int16(label)
        }
    }
    return labels
}
