/// The operations of a pickle that ``PickleMachine`` knows, by their codes.
enum PickleOperation: UInt8 {
    case proto = 0x80
    case frame = 0x95

    // Literals.
    case none = 0x4E  // N
    case newTrue = 0x88
    case newFalse = 0x89
    case binInt = 0x4A  // J
    case binInt1 = 0x4B  // K
    case binInt2 = 0x4D  // M
    case long1 = 0x8A
    case long4 = 0x8B
    case binFloat = 0x47  // G
    case string = 0x53  // S
    case shortBinString = 0x55  // U
    case binString = 0x54  // T
    case binUnicode = 0x58  // X
    case shortBinUnicode = 0x8C
    case binUnicode8 = 0x8D
    case shortBinBytes = 0x43  // C
    case binBytes = 0x42  // B
    case binBytes8 = 0x8E

    // Stack and memo.
    case mark = 0x28  // (
    case pop = 0x30  // 0
    case popMark = 0x31  // 1
    case duplicate = 0x32  // 2
    case binGet = 0x68  // h
    case longBinGet = 0x6A  // j
    case binPut = 0x71  // q
    case longBinPut = 0x72  // r
    case memoize = 0x94

    // Containers.
    case emptyList = 0x5D  // ]
    case emptyTuple = 0x29  // )
    case emptyDictionary = 0x7D  // }
    case emptySet = 0x8F
    case list = 0x6C  // l
    case tuple = 0x74  // t
    case dictionary = 0x64  // d
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case append = 0x61  // a
    case appends = 0x65  // e
    case setItem = 0x73  // s
    case setItems = 0x75  // u
    case addItems = 0x90

    // Calls.
    case global = 0x63  // c
    case stackGlobal = 0x93
    case instance = 0x69  // i
    case object = 0x6F  // o
    case newObject = 0x81
    case extension1 = 0x82
    case extension2 = 0x83
    case extension4 = 0x84
    case reduce = 0x52  // R
    case build = 0x62  // b
    case persistentID = 0x51  // Q
}
