/// Turns sixteen lines of voxels, one in each lane, into the coefficients of the cubic B-splines through them.
///
/// The lines are taken to continue forever with their edge values. Two recursive filters with the pole z = sqrt(3) - 2 run
/// forwards and backwards; their starting values are the limits of the infinite sums over the constant continuation.
/// Source: Unser 1999, Splines: a perfect fit for signal and image processing.
func prefilterSpline(_ line: UnsafeMutableBufferPointer<SIMD16<Float>>) {
    let pole: Float = -0.267_949_192_431_122_7
    let gain: Float = 6
    let last = line.count - 1
    let steadyEnd = line[last] * (gain / (1 - pole))
    var previous = line[0] * (gain / (1 - pole))
    line[0] = previous
    for index in 1..<max(line.count, 1) {
        previous = line[index] * gain + previous * pole
        line[index] = previous
    }
    var next = (steadyEnd * (1 / (1 - pole)) + (line[last] - steadyEnd) * (1 / (1 - pole * pole))) * -pole
    line[last] = next
    for index in stride(from: last - 1, through: 0, by: -1) {
        next = (next - line[index]) * pole
        line[index] = next
    }
}
