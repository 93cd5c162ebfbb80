import Foundation

/// Runs a pickle as far as weights need it. Nothing is ever called: the few names of ``PickleGlobal`` build values, any
/// other name is an error.
///
/// Python describes the format in `Lib/pickletools.py`; what is not here, `torch.save` does not write.
struct PickleMachine {
    /// The containers and tensors that came about.
    var heap = PickleHeap()
    /// What the machine may still take.
    var budget: ReadBudget
    /// The bytes after those that were run.
    var rest: Data { cursor.bytes[cursor.position...] }

    var cursor: ByteCursor
    var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]

    /// A machine for the pickle that `bytes` begin with.
    /// - Parameter shortfall: what is thrown if the pickle does not end.
    init(_ bytes: Data, budget: ReadBudget, endingWith shortfall: PyTorchError) {
        cursor = ByteCursor(bytes, endingWith: shortfall)
        self.budget = budget
    }

    /// Runs to the pickle's end.
    /// - Returns: the value that the pickle stands for.
    /// - Throws: ``PyTorchError``.
    mutating func run() throws -> PickleValue {
        while true {
            let code = try cursor.byte()
            if code == UInt8(ascii: ".") { return try pop() }
            guard let operation = PickleOperation(rawValue: code) else {
                throw Self.bad("an operation 0x\(String(code, radix: 16)) that torch.save does not write")
            }
            try apply(operation)
        }
    }

    private mutating func apply(_ operation: PickleOperation) throws {
        switch operation {
        case .proto:
            guard try cursor.byte() <= 5 else { throw Self.bad("an unknown protocol") }
        case .frame:
            guard try cursor.count(UInt64.self) <= cursor.left else { throw cursor.shortfall }
        case .none, .newTrue, .newFalse, .binInt, .binInt1, .binInt2, .long1, .long4, .binFloat, .string,
            .shortBinString, .binString, .binUnicode, .shortBinUnicode, .binUnicode8, .shortBinBytes, .binBytes,
            .binBytes8:
            try push(try literal(operation))
        case .mark:
            try budget.pay(ReadBudget.bytesPerValue, for: "the pickle")
            marks.append(stack.count)
        case .pop: _ = try pop()
        case .popMark: _ = try popToMark()
        case .duplicate:
            let value = try pop()
            try push(value)
            try push(value)
        case .emptyList: try push(heap.add(.list([])))
        case .emptyTuple: try push(heap.add(.tuple([])))
        case .emptyDictionary: try push(heap.add(.dictionary([])))
        case .emptySet: try push(.opaque)
        case .tuple: try push(heap.add(.tuple(try popToMark())))
        case .tuple1: try push(heap.add(.tuple(try pop(1))))
        case .tuple2: try push(heap.add(.tuple(try pop(2))))
        case .tuple3: try push(heap.add(.tuple(try pop(3))))
        case .list: try push(heap.add(.list(try popToMark())))
        case .dictionary:
            let items = try popToMark()
            try push(heap.add(.dictionary([])))
            try set(items)
        case .append: try append(try pop(1))
        case .appends: try append(try popToMark())
        case .setItem: try set(try pop(2))
        case .setItems: try set(try popToMark())
        case .addItems: _ = try popToMark()
        case .binGet: try recall(Int(try cursor.byte()))
        case .longBinGet: try recall(try cursor.count(UInt32.self))
        case .binPut: try remember(Int(try cursor.byte()))
        case .longBinPut: try remember(try cursor.count(UInt32.self))
        case .memoize: try remember(memo.count)
        case .global, .stackGlobal, .instance, .object, .newObject, .extension1, .extension2, .extension4, .reduce,
            .build, .persistentID:
            try call(operation)
        }
    }

    // MARK: Stack

    /// Puts a value on the stack. Every value is paid for here.
    mutating func push(_ value: PickleValue) throws {
        try budget.pay(ReadBudget.bytesPerValue, for: "the pickle")
        stack.append(value)
    }

    /// The value on top, which must lie above the last mark.
    mutating func pop() throws -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
            throw Self.bad("it takes a value from an empty stack")
        }
        return value
    }

    private mutating func pop(_ count: Int) throws -> [PickleValue] {
        guard stack.count - count >= marks.last ?? 0 else { throw Self.bad("it takes values from an empty stack") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    /// All values above the last mark, and the mark.
    mutating func popToMark() throws -> [PickleValue] {
        guard let mark = marks.popLast() else { throw Self.bad("it looks for a mark that is not there") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    /// The error for a pickle that does what it must not.
    static func bad(_ problem: String) -> PyTorchError {
        PyTorchError(.badPickle, "its pickle is damaged: \(problem). Copy or download the file again.")
    }

    // MARK: Memo and containers

    private mutating func remember(_ index: Int) throws {
        guard stack.count > marks.last ?? 0, let value = stack.last else { throw Self.bad("it remembers nothing") }
        try budget.pay(ReadBudget.bytesPerValue, for: "the pickle")
        memo[index] = value
    }

    private mutating func recall(_ index: Int) throws {
        guard let value = memo[index] else { throw Self.bad("it recalls what it never remembered") }
        try push(value)
    }

    /// The index of the container on top of the stack, which stays there.
    private func container() throws -> Int {
        guard stack.count > marks.last ?? 0, case .object(let index)? = stack.last else {
            throw Self.bad("it adds to what is no container")
        }
        return index
    }

    private mutating func append(_ values: [PickleValue]) throws {
        let added = heap.update(try container()) { object in
            guard case .list(var elements) = object else { return false }
            object = .list([])
            elements += values
            object = .list(elements)
            return true
        }
        if !added { throw Self.bad("it appends to what is no list") }
    }

    private mutating func set(_ items: [PickleValue]) throws {
        guard items.count % 2 == 0 else { throw Self.bad("a key has no value") }
        let isSet = heap.update(try container()) { object in
            guard case .dictionary(var pairs) = object else { return false }
            object = .dictionary([])
            for index in stride(from: 0, to: items.count, by: 2) { pairs.append((items[index], items[index + 1])) }
            object = .dictionary(pairs)
            return true
        }
        if !isSet { throw Self.bad("it sets items of what is no dictionary") }
    }
}
