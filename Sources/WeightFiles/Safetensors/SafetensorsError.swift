import Tensors

/// What is wrong with a safetensors file, or with the use that is made of it.
public enum SafetensorsError: UserFacingError, Equatable {
    /// The file as a whole is no safetensors file: too short, a damaged header, bytes left over.
    case damaged(file: String, problem: String)
    /// The header's entry of one tensor is wrong.
    case badTensor(file: String, tensor: String, problem: String)
    /// A tensor that is needed is not in the file.
    case missingTensor(file: String, tensor: String)
    /// The elements have another type than the one asked for.
    case wrongElementType(expected: String, found: ElementType)

    /// Wrong data: 65.
    public var exitCode: Int32 { ExitStatus.badData }

    /// File, tensor, what is wrong and what to do.
    public var description: String {
        switch self {
        case .damaged(let file, let problem):
            "\(file): not a valid safetensors file: \(problem). Copy or download it again."
        case .badTensor(let file, let tensor, let problem):
            "\(file): tensor '\(tensor)': \(problem). Copy or download the file again."
        case .missingTensor(let file, let tensor):
            "\(file): there is no tensor '\(tensor)'. `warmstart inspect` lists what the file contains."
        case .wrongElementType(let expected, let found):
            "expected elements of type \(expected), found \(found.rawValue)."
        }
    }
}
