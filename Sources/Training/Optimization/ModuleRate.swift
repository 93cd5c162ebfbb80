/// A factor of the learning rate for the parameters of one module.
public struct ModuleRate: Hashable, Sendable {
    /// The module, such as `encoder.stages.0` or `*.norm`.
    public var module: String
    /// What the stage's rate is multiplied with.
    public var factor: Double

    /// A factor for a module.
    public init(_ module: String, factor: Double) { (self.module, self.factor) = (module, factor) }
}

extension [ModuleRate] {
    /// The factor of the parameter called `name`: that of the last module in the list that holds it, else 1.
    public func factor(of name: String) -> Double {
        last { ModuleName($0.module).contains(name) }?.factor ?? 1
    }
}
