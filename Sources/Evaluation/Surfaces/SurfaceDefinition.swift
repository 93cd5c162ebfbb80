/// What counts as the surface of a mask. The two definitions in use give different numbers: name the one you report.
public enum SurfaceDefinition: String, Sendable, Hashable, Codable, CaseIterable {
    /// Elements between voxels, each weighing its area: at every corner of the grid whose eight voxels are not all alike,
    /// the piece of surface that marching cubes would put there (DeepMind's surface-distance; Nikolov et al. 2018,
    /// arXiv:1809.04430). Does not depend on how finely the grid cuts a surface.
    case elements = "surface_elements"
    /// Voxels of the mask with a face on its outside, each weighing the same (MedPy, MONAI). The outside of the volume is
    /// outside.
    case boundaryVoxels = "boundary_voxels"
}
