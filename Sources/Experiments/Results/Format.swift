import Foundation

/// How numbers are written in tables, pages and sentences.
enum Format {
    /// A Dice with three decimals; a dash where there is none.
    static func dice(_ value: Double?) -> String { value.map { fixed($0, 3) } ?? "–" }

    /// A difference with its sign, `+0.012` or `−0.004`.
    static func signed(_ value: Double?) -> String {
        guard let value, !value.isNaN else { return "–" }
        let digits = fixed(abs(value), 3)
        return digits == "0.000" ? digits : (value < 0 ? "−" : "+") + digits
    }

    /// A p value, `0.031` or `< 0.001`.
    static func pValue(_ value: Double?) -> String {
        guard let value, !value.isNaN else { return "–" }
        return value < 0.001 ? "< 0.001" : fixed(value, 3)
    }

    /// A number with so many decimals; a dash for NaN.
    static func fixed(_ value: Double, _ decimals: Int) -> String {
        value.isNaN ? "–" : String(format: "%.\(decimals)f", value)
    }

    /// A volume in cubic millimetres, from 100 ml on in millilitres.
    static func volume(_ cubicMM: Double) -> String {
        cubicMM < 100_000 ? "\(fixed(cubicMM, 0)) mm³" : "\(fixed(cubicMM / 1000, 0)) ml"
    }

    /// A mean with the standard deviation over runs, `1.23 ± 0.05`; a dash where there is none.
    static func spread(_ mean: Double?, _ deviation: Double?, _ decimals: Int) -> String {
        guard let mean else { return "–" }
        return fixed(mean, decimals) + (deviation.map { " ± \(fixed($0, decimals))" } ?? "")
    }

    /// A count of training cases, whole where it is.
    static func count(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))" : fixed(value, 1) }

    /// A duration, `42 s`, `12 min` or `3.5 h`.
    static func duration(seconds: Double) -> String {
        switch seconds {
        case ..<100: fixed(seconds, seconds < 10 ? 1 : 0) + " s"
        case ..<6000: fixed(seconds / 60, 0) + " min"
        default: fixed(seconds / 3600, 1) + " h"
        }
    }
}
