public import FQDNPolicy

/// Why an engine does not start.
public enum EngineError: Error, Sendable, CustomStringConvertible {
    /// Documents are wrong; everything that is, with its place.
    case documents([DocumentProblem])
    /// The system, or a setting that only shows against it, is in the way; one line that says what to do.
    case system(String)

    public var description: String {
        switch self {
        case .documents(let problems): problems.map(\.description).joined(separator: "\n")
        case .system(let line): line
        }
    }
}
