import Foundation

/// A value on the stack of a ``PickleMachine``.
///
/// Containers lie in the ``PickleHeap`` and are named by their index: they may be shared, contain themselves, and nest
/// as deep as the file is long without a recursion anywhere.
enum PickleValue {
    case none
    case bool(Bool)
    case integer(Int)
    /// A whole number beyond 64 bits, as its little-endian bytes in two's complement.
    case bigInteger(Data)
    case number(Double)
    case text(String)
    case bytes(Data)
    /// A function or class that weights need.
    case global(PickleGlobal)
    /// Something that no weights depend on: a device, a set, an element type by itself.
    case opaque
    /// An object of the heap.
    case object(Int)

    /// What the value is, for messages.
    var kind: String {
        switch self {
        case .none: "None"
        case .bool: "a boolean"
        case .integer, .bigInteger: "an integer"
        case .number: "a number"
        case .text: "a string"
        case .bytes: "bytes"
        case .global(let global): "\(global)"
        case .opaque: "an object"
        case .object: "a container"
        }
    }
}

/// An object that several values may refer to.
enum PickleObject {
    case list([PickleValue])
    case tuple([PickleValue])
    case dictionary([(key: PickleValue, value: PickleValue)])
    case storage(StorageReference)
    case tensor(TensorView)
    /// A NumPy element type; nil for one that no tensor has.
    case numpyType(ElementType?, isBigEndian: Bool)
    /// A NumPy array; nil until its state is set, and for elements that no tensor has.
    case array(StoredTensor?)
}

/// The objects that a pickle made.
struct PickleHeap {
    private(set) var objects: [PickleObject] = []

    /// Adds an object and returns the value that names it.
    mutating func add(_ object: PickleObject) -> PickleValue {
        objects.append(object)
        return .object(objects.count - 1)
    }

    /// The object that a value names; nil for a value that names none.
    subscript(value: PickleValue) -> PickleObject? {
        if case .object(let index) = value { objects[index] } else { nil }
    }

    /// Changes an object in place, without a copy of its elements.
    mutating func update<Result>(_ index: Int, _ body: (inout PickleObject) throws -> Result) rethrows -> Result {
        try body(&objects[index])
    }

    /// The elements of a list or tuple; nil for any other value.
    func elements(_ value: PickleValue) -> [PickleValue]? {
        switch self[value] {
        case .list(let elements), .tuple(let elements): elements
        default: nil
        }
    }

    /// The elements of a list or tuple of integers; nil for any other value.
    func integers(_ value: PickleValue) -> [Int]? {
        guard let elements = elements(value) else { return nil }
        let integers = elements.compactMap { if case .integer(let integer) = $0 { integer } else { nil } }
        return integers.count == elements.count ? integers : nil
    }
}
