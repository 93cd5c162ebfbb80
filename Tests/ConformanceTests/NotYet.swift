extension OracleRegistry {
    /// Operations that later work brings. A case of any other operation that is not registered fails as unknown.
    static let notYet: Set<String> = [
        "checkpoint", "genesis_unet3d", "info_nce", "medicalnet_resnet", "nt_xent",
    ]
}
