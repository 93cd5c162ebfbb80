/// Which pre-trained weights a network starts from. Segmentation heads are never among them: their classes are others.
public enum TransferMode: String, Sendable, Hashable, CaseIterable {
    /// None: all weights start at random.
    case none
    /// The encoder with its stem.
    case encoder
    /// The encoder and, but for the heads, the decoder.
    case encoderAndDecoder = "encoder+decoder"
}
