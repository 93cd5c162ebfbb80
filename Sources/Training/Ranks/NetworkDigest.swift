import Networks

extension Module {
    /// A number that tells networks of other weights apart: the hash of Fowler, Noll and Vo over the bits of all parameters.
    var digest: String {
        let hash = namedParameters.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { hash, item in
            item.parameter.value.withScalars { scalars in
                scalars.reduce(hash) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01B3 }
            }
        }
        return String(hash, radix: 16)
    }
}
