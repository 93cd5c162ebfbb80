import Foundation

/// An axis of a chart: what it shows, and how its values map to places.
public struct ChartAxis: Sendable {
    /// How values map to places.
    public enum Scale: Sendable {
        /// Equal steps for equal differences.
        case linear
        /// Equal steps for equal ratios; values must be positive.
        case logarithmic
    }

    /// A marked value.
    public struct Tick: Sendable, Equatable {
        /// Where the mark is.
        public var value: Double
        /// What stands beside it.
        public var label: String

        /// A mark at `value`.
        public init(value: Double, label: String) { (self.value, self.label) = (value, label) }
    }

    /// What the axis shows, with its unit.
    public var label: String
    /// How values map to places.
    public var scale: Scale
    /// The marked values; nil for round numbers.
    public var ticks: [Tick]?
    /// Values that the axis must reach beside those of the data.
    public var mustInclude: [Double]

    /// An axis that shows `label`.
    public init(_ label: String, scale: Scale = .linear, ticks: [Tick]? = nil, mustInclude: [Double] = []) {
        (self.label, self.scale, self.ticks, self.mustInclude) = (label, scale, ticks, mustInclude)
    }

    /// Round values that cover `range`, a round step apart: 1, 2 or 5 times a power of ten, and about `count` of them.
    public static func roundTicks(covering range: ClosedRange<Double>, count: Int = 5) -> [Tick] {
        let span = max(range.upperBound - range.lowerBound, abs(range.upperBound) * 1e-6, 1e-12)
        let raw = span / Double(count)
        let power = pow(10, floor(log10(raw)))
        let step = power * ([1, 2, 5, 10].first { $0 * power >= raw * 0.999 } ?? 10)
        let decimals = max(0, Int(ceil(-log10(step) - 1e-9)))
        let first = Int((range.lowerBound / step + 1e-9).rounded(.down))
        let last = Int((range.upperBound / step - 1e-9).rounded(.up))
        return (first...max(first + 1, last)).map { index in
            let value = Double(index) * step
            let isPlain = abs(value) < 1e6 && decimals <= 6
            let text = isPlain ? String(format: "%.\(decimals)f", abs(value)) : String(format: "%.2g", abs(value))
            return Tick(value: value, label: value < 0 ? "−" + text : text)
        }
    }

    /// The axis laid over `places` for data in `data`.
    func laidOut(over places: ClosedRange<Double>, reversed: Bool = false, data: [Double]) -> Layout {
        let values = (data + mustInclude).filter { $0.isFinite && (scale == .linear || $0 > 0) }
        let low = values.min() ?? (scale == .linear ? 0 : 1)
        let high = max(values.max() ?? low + 1, low)
        let marks: [Tick]
        var range: ClosedRange<Double>
        if let ticks {
            marks = ticks
            range = min(low, ticks.map(\.value).min() ?? low)...max(high, ticks.map(\.value).max() ?? high)
        } else if scale == .logarithmic {
            let exponents =
                Int(floor(log10(low) + 1e-9))...max(Int(floor(log10(low) + 1e-9)) + 1, Int(ceil(log10(high) - 1e-9)))
            marks = exponents.map { exponent in
                Tick(value: pow(10, Double(exponent)), label: Self.powerLabel(exponent))
            }
            range = pow(10, Double(exponents.lowerBound))...pow(10, Double(exponents.upperBound))
        } else {
            marks = Self.roundTicks(covering: low...high)
            range = min(low, marks[0].value)...max(high, marks[marks.count - 1].value)
        }
        // A single value stands in the middle.
        if range.lowerBound == range.upperBound {
            range =
                scale == .linear
                ? range.lowerBound - 0.5...range.upperBound + 0.5 : range.lowerBound / 2...range.upperBound * 2
        }
        return Layout(scale: scale, range: range, places: places, reversed: reversed, ticks: marks)
    }

    private static func powerLabel(_ exponent: Int) -> String {
        (-4...5).contains(exponent)
            ? String(format: "%.\(max(0, -exponent))f", pow(10, Double(exponent))) : "1e\(exponent)"
    }

    /// An axis with its range and its place on the drawing.
    struct Layout {
        let scale: Scale
        let range: ClosedRange<Double>
        let places: ClosedRange<Double>
        let reversed: Bool
        let ticks: [Tick]

        /// The place of `value`.
        func callAsFunction(_ value: Double) -> Double {
            let share =
                switch scale {
                case .linear: (value - range.lowerBound) / (range.upperBound - range.lowerBound)
                case .logarithmic: log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
                }
            let length = places.upperBound - places.lowerBound
            return reversed ? places.upperBound - share * length : places.lowerBound + share * length
        }
    }
}
