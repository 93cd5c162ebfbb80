import Volumes
import WeightFiles

extension TransferCard {
    /// In what the plan differs from what the weights were trained for, and how to have it alike.
    func remarks(on plan: Plan) -> [String] {
        func words(_ spacing: [Double?]) -> String {
            // 0 on a card stands for the images' own spacing.
            let own = spacing.allSatisfy { ($0 ?? 0) == 0 }
            return own ? "the images' own spacing" : spacing.map { "\($0 ?? 0)" }.joined(separator: "x") + " mm"
        }
        var remarks: [String] = []
        let (before, now) = (words(spacingMM), words(plan.spacingMM))
        if before != now { remarks.append("pre-trained at \(before), fine-tuned at \(now)") }
        let (scheme, planned) = (Set(normalization), Set(plan.channels.map(\.normalization.cardName)))
        if scheme != planned {
            let (before, now) = (scheme.sorted(), planned.sorted())
            remarks.append(
                "pre-trained on intensities by \(before.joined(separator: ", ")), fine-tuned on \(now.joined(separator: ", "))"
            )
        }
        if !remarks.isEmpty {
            remarks.append("plan.preprocessing=like-pretrained prepares images as the pre-training did")
        }
        if patch != plan.patch { remarks.append("pre-trained on patches of \(patch), fine-tuned on \(plan.patch)") }
        return remarks
    }
}
