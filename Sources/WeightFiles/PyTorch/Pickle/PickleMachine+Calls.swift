import Foundation

extension PickleMachine {
    /// Names, calls of what was named, and what tensors are built from.
    mutating func call(_ operation: PickleOperation) throws {
        switch operation {
        case .global: try push(.global(try namedInText()))
        case .stackGlobal:
            let (name, module) = (try pop(), try pop())
            guard case .text(let name) = name, case .text(let module) = module else {
                throw Self.bad("a name is no string")
            }
            try push(.global(try PickleGlobal(module: module, name: name)))
        case .extension1, .extension2, .extension4:
            throw PickleGlobal.forbidden("an entry of Python's extension registry")
        case .instance:
            let callee = try namedInText()
            try push(try result(of: callee, try popToMark()))
        case .object:
            let values = try popToMark()
            guard case .global(let callee)? = values.first else { throw Self.bad("it makes an object of no class") }
            try push(try result(of: callee, Array(values.dropFirst())))
        case .reduce, .newObject:
            let (arguments, callee) = (try pop(), try pop())
            guard case .global(let callee) = callee, case .tuple(let values)? = heap[arguments] else {
                throw Self.bad("it calls \(callee.kind)")
            }
            try push(try result(of: callee, values))
        case .persistentID: try push(heap.add(.storage(try storage(named: try pop()))))
        default: try build()
        }
    }

    private mutating func namedInText() throws -> PickleGlobal {
        let (module, name) = (try cursor.line(), try cursor.line())
        return try PickleGlobal(
            module: String(decoding: module, as: UTF8.self), name: String(decoding: name, as: UTF8.self))
    }

    /// What calling `callee` in Python would give.
    private mutating func result(of callee: PickleGlobal, _ arguments: [PickleValue]) throws -> PickleValue {
        switch callee {
        case .orderedDictionary: return try orderedDictionary(arguments)
        case .set, .device: return .opaque
        case .size:
            guard arguments.count == 1, let sizes = heap.elements(arguments[0]) else { throw Self.misused(callee) }
            return heap.add(.tuple(sizes))
        case .encode: return .bytes(try latin1Bytes(arguments))
        case .rebuildTensor: return heap.add(.tensor(try tensor(arguments)))
        case .rebuildParameter:
            guard let parameter = arguments.first, case .tensor? = heap[parameter] else { throw Self.misused(callee) }
            return parameter
        case .rebuildFromType:
            guard arguments.count >= 3, case .global(.rebuildTensor) = arguments[0],
                let values = heap.elements(arguments[2])
            else { throw Self.misused(callee) }
            return heap.add(.tensor(try tensor(values)))
        case .numpyType:
            guard case .text(let code)? = arguments.first else { throw Self.misused(callee) }
            return heap.add(.numpyType(ElementType(numpyCode: code), isBigEndian: false))
        case .numpyScalar: return try numpyScalar(arguments)
        case .numpyReconstruct: return heap.add(.array(nil))
        case .storage, .mention: throw Self.misused(callee)
        }
    }

    /// The error for a call with arguments that `torch.save` does not give.
    static func misused(_ callee: PickleGlobal) -> PyTorchError { bad("it calls \(callee) with other arguments") }

    private mutating func orderedDictionary(_ arguments: [PickleValue]) throws -> PickleValue {
        guard let first = arguments.first else { return heap.add(.dictionary([])) }
        let pairs = try (heap.elements(first) ?? []).map { item in
            guard let pair = heap.elements(item), pair.count == 2 else { throw Self.misused(.orderedDictionary) }
            return (key: pair[0], value: pair[1])
        }
        try budget.pay(pairs.count * ReadBudget.bytesPerValue, for: "the pickle")
        return heap.add(.dictionary(pairs))
    }

    /// The bytes that a string stands for, each character one byte.
    private mutating func latin1Bytes(_ arguments: [PickleValue]) throws -> Data {
        guard arguments.count == 2, case .text(let text) = arguments[0], case .text("latin1") = arguments[1] else {
            throw Self.misused(.encode)
        }
        try budget.pay(text.utf8.count, for: "the pickle")
        let bytes = text.unicodeScalars.compactMap { UInt8(exactly: $0.value) }
        guard bytes.count == text.unicodeScalars.count else { throw Self.bad("bytes hold other than bytes") }
        return Data(bytes)
    }

    /// Sets the state of the object on top of the stack but one.
    private mutating func build() throws {
        let state = try pop()
        let target = try pop()
        try push(target)
        guard case .object(let index) = target else { throw Self.bad("it sets the state of \(target.kind)") }
        switch heap[target] {
        case .numpyType(let type, _):
            guard let values = heap.elements(state), values.count > 1, case .text(let order) = values[1] else {
                throw Self.misused(.numpyType)
            }
            heap.update(index) { $0 = .numpyType(type, isBigEndian: order == ">") }
        case .array:
            let array = try numpyArray(state)
            heap.update(index) { $0 = .array(array) }
        case .dictionary: break  // Attributes such as `_metadata`: no weights.
        default: throw Self.bad("it sets the state of what has none")
        }
    }
}
