/// Why a cache could not be made.
public enum CacheError: Error, Hashable, Sendable {
    /// The system gave no address space of that many bytes.
    case memoryUnavailable(bytes: Int)
}

extension CacheError: CustomStringConvertible {
    /// One line that names the amount.
    public var description: String {
        switch self {
        case .memoryUnavailable(let bytes): "no memory for a cache region of \(bytes) bytes"
        }
    }
}
