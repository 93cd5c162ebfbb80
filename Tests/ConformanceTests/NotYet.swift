extension OracleRegistry {
    /// Operations that later work brings. A case of any other operation that is not registered fails as unknown.
    static let notYet: Set<String> = [
        "checkpoint", "components", "dice_bce", "focal", "genesis_unet3d", "medicalnet_resnet", "metrics",
        "ohem_ce", "perimeter", "top_k_ce", "tversky",
    ]
}
