/// The functions and classes of Python that a pickle of weights may name. None of them is Python's: each stands for a
/// few lines here that build a value. Any other name ends the reading.
enum PickleGlobal {
    case orderedDictionary
    case set
    /// `_codecs.encode`: how old protocols spell bytes.
    case encode
    case rebuildTensor
    case rebuildParameter
    case rebuildFromType
    case storage(ElementType)
    /// `torch.Size`.
    case size
    case device
    case numpyScalar
    case numpyReconstruct
    case numpyType
    /// A class or constant that is only mentioned.
    case mention

    /// What `module.name` stands for.
    /// - Throws: ``PyTorchError`` of kind `forbiddenGlobal` for a name that weights do not need.
    init(module: String, name: String) throws {
        guard let known = Self.known["\(module).\(name)"] else { throw Self.forbidden("\(module).\(name)") }
        self = known
    }

    /// The refusal of a name.
    static func forbidden(_ name: String) -> PyTorchError {
        let advice =
            name.hasPrefix("torch.nn.")
            ? "A whole model was saved: save model.state_dict() instead."
            : "Weights need no such thing; save the state_dict alone, and do not open this file with other tools."
        return PyTorchError(.forbiddenGlobal, "it asks for \(name), which is never run. \(advice)")
    }

    private static let known: [String: PickleGlobal] = {
        var known: [String: PickleGlobal] = [
            "collections.OrderedDict": .orderedDictionary, "builtins.set": .set, "__builtin__.set": .set,
            "_codecs.encode": .encode, "torch._utils._rebuild_tensor_v2": .rebuildTensor,
            "torch._utils._rebuild_parameter": .rebuildParameter,
            "torch._tensor._rebuild_from_type_v2": .rebuildFromType, "torch.Size": .size, "torch.Tensor": .mention,
            "torch.device": .device, "numpy.dtype": .numpyType, "numpy.ndarray": .mention,
        ]
        for module in ["numpy.core.multiarray", "numpy._core.multiarray"] {
            known["\(module).scalar"] = .numpyScalar
            known["\(module)._reconstruct"] = .numpyReconstruct
        }
        for type in ElementType.allCases {
            known["torch.\(type.pytorchStorage)"] = .storage(type)
            known["torch.\(type.pytorchName)"] = .mention
        }
        return known
    }()
}

extension ElementType {
    /// The type's name in PyTorch, such as `float32`.
    var pytorchName: String {
        switch self {
        case .float64: "float64"
        case .float32: "float32"
        case .float16: "float16"
        case .bfloat16: "bfloat16"
        case .int64: "int64"
        case .int32: "int32"
        case .int16: "int16"
        case .int8: "int8"
        case .uint8: "uint8"
        case .bool: "bool"
        }
    }

    /// The class of PyTorch that holds elements of the type.
    var pytorchStorage: String {
        switch self {
        case .float64: "DoubleStorage"
        case .float32: "FloatStorage"
        case .float16: "HalfStorage"
        case .bfloat16: "BFloat16Storage"
        case .int64: "LongStorage"
        case .int32: "IntStorage"
        case .int16: "ShortStorage"
        case .int8: "CharStorage"
        case .uint8: "ByteStorage"
        case .bool: "BoolStorage"
        }
    }

    /// The type of a NumPy code such as `f4`; nil for one that no tensor has.
    init?(numpyCode: String) {
        switch numpyCode {
        case "f8": self = .float64
        case "f4": self = .float32
        case "f2": self = .float16
        case "i8": self = .int64
        case "i4": self = .int32
        case "i2": self = .int16
        case "i1": self = .int8
        case "u1": self = .uint8
        case "b1": self = .bool
        default: return nil
        }
    }
}
