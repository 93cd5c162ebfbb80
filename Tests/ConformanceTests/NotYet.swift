extension OracleRegistry {
    /// Operations that later work brings. A case of any other operation that is not registered fails as unknown.
    static let notYet: Set<String> = ["dice_bce", "focal", "ohem_ce", "perimeter", "top_k_ce", "tversky"]
}
