/// The number format of the operands of convolutions and linear layers. Everything else is float32: stored maps, weights,
/// gradients, statistics, and the sums of products themselves.
public enum Precision: String, Sendable, Hashable, CaseIterable {
    /// 24 significant bits.
    case float32
    /// Operands rounded to 8 significant bits (nearest, ties to even; denormals to zero), products summed in float32.
    ///
    /// A result differs from the exact one of the rounded operands by about `2^-24` of the sum of the absolute products,
    /// times the number of additions at worst. Products that gain nothing from rounding are computed in float32.
    case bfloat16

    /// `bfloat16` where the fastest kernels multiply it in one instruction, else `float32`.
    public static var automatic: Precision { automatic(for: .best) }

    /// `bfloat16` where these kernels multiply it in one instruction, else `float32`.
    public static func automatic(for kernels: KernelSet) -> Precision {
        kernels.table.pointee.multiplies_pairs != 0 ? .bfloat16 : .float32
    }
}
