import Tensors

/// A part of a network: something that owns parameters, directly or through its own parts.
///
/// A module lists its members by hand, under the names that they have in PyTorch's dynamic-network-architectures; the
/// names of nested members joined by dots are the names on disk. A member is listed once: where PyTorch knows one weight
/// by several names, this is the canonical one.
public protocol Module {
    /// Parameters and parts, in a fixed order.
    var members: [Member] { get }
}

/// What a ``Module`` consists of.
public enum Member {
    /// A learnable tensor.
    case parameter(String, Parameter)
    /// State that training carries along without learning it.
    case buffer(String, Buffer)
    /// A part with members of its own.
    case module(String, any Module)

    /// Parts called `name.0`, `name.1`, ...
    public static func modules(_ name: String, _ parts: [some Module]) -> [Member] {
        parts.enumerated().map { .module("\(name).\($0.offset)", $0.element) }
    }
}

extension Module {
    /// All parameters with their full names, such as `encoder.stages.2.blocks.0.conv1.conv.weight`. Behind a parameter come
    /// those of its adapter, `….weight.lora_down` and `….weight.lora_up`.
    public var namedParameters: [(name: String, parameter: Parameter)] {
        members.flatMap { member -> [(name: String, parameter: Parameter)] in
            switch member {
            case .parameter(let name, let parameter):
                [(name, parameter)]
                    + (parameter.adapter.map { [("\(name).lora_down", $0.down), ("\(name).lora_up", $0.up)] } ?? [])
            case .buffer: []
            case .module(let name, let part):
                part.namedParameters.map { (name: "\(name).\($0.name)", parameter: $0.parameter) }
            }
        }
    }

    /// All buffers with their full names, such as `layer1.0.bn1.running_mean`.
    public var namedBuffers: [(name: String, buffer: Buffer)] {
        members.flatMap { member -> [(name: String, buffer: Buffer)] in
            switch member {
            case .parameter: []
            case .buffer(let name, let buffer): [(name, buffer)]
            case .module(let name, let part):
                part.namedBuffers.map { (name: "\(name).\($0.name)", buffer: $0.buffer) }
            }
        }
    }

    /// All parts at every depth with their full names, each before its own parts; this module itself is not among them.
    public var namedModules: [(name: String, module: any Module)] {
        members.flatMap { member -> [(name: String, module: any Module)] in
            guard case .module(let name, let part) = member else { return [] }
            return [(name, part)] + part.namedModules.map { (name: "\(name).\($0.name)", module: $0.module) }
        }
    }

    /// The number of learnable scalars.
    public var parameterCount: Int { namedParameters.reduce(0) { $0 + $1.parameter.pytorchShape.count } }
}
