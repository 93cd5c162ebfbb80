/// What a part of a phantom is made of, and how bright it is in each contrast.
enum Tissue: Sendable {
    case air, skin, fat, muscle, bone, marrow, fluid, grey, white, lesion
    case liver, spleen, kidney, vessel, stomach, bowel

    /// The mean signal: relative units where white matter in T1 is 1, Hounsfield units for CT.
    func signal(in contrast: PhantomContrast) -> Double {
        let (t1, t2, hounsfield) = signals
        return switch contrast {
        case .t1: t1
        case .t2: t2
        case .ct: hounsfield
        }
    }

    private var signals: (t1: Double, t2: Double, hounsfield: Double) {
        switch self {
        case .air: (0, 0, -1000)
        case .skin: (0.85, 0.55, 20)
        case .fat: (1.15, 0.7, -100)
        case .muscle: (0.5, 0.35, 55)
        case .bone: (0.12, 0.08, 700)
        case .marrow: (0.8, 0.5, 250)
        case .fluid: (0.25, 1.3, 8)
        case .grey: (0.7, 0.75, 38)
        case .white: (1, 0.5, 29)
        case .lesion: (0.6, 1, 18)
        case .liver: (0.75, 0.4, 105)
        case .spleen: (0.55, 0.7, 120)
        case .kidney: (0.6, 0.8, 165)
        case .vessel: (0.2, 0.15, 190)
        case .stomach: (0.3, 1.1, 25)
        case .bowel: (0.6, 0.65, 70)
        }
    }
}
