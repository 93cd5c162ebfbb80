/// The header of a NIfTI file: enough to place its voxels, and the bytes to write the same geometry again.
public struct NIfTIHeader: Hashable, Sendable {
}
