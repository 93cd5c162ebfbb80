/// What is known about the voxels of an image without labels of structures.
public enum RegionLabel {
    /// Nothing.
    public static let anywhere: Int16 = 0
    /// The anatomy that patches are centred on.
    public static let anatomy: Int16 = 1
    /// Anonymization removed or changed what was there, such as a face.
    public static let anonymized: Int16 = 2
}
