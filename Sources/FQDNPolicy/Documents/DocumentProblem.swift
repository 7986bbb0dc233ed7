/// Something to say about one place of a document.
public struct DocumentProblem: Error, Equatable, Sendable {
    /// How much a problem matters.
    public enum Severity: String, Sendable, CaseIterable {
        /// The document cannot be used.
        case error
        /// The document can be used, but probably does not do what its author meant.
        case warning
        /// Something that is worth knowing, such as a part that is not enforced here.
        case notice
    }

    /// How much it matters.
    public let severity: Severity
    /// The file as it was named to the reader.
    public let file: String
    /// Line, counted from 1; 0 when the problem is about the file as a whole.
    public let line: Int
    /// Column in Unicode scalars, counted from 1; 0 when the problem is about the file as a whole.
    public let column: Int
    /// Key path from the root of the document, such as `spec.egress[0].toFQDNs[2].matchName`; empty for the root.
    public let path: String
    /// What is wrong, without place, in the words of the user documentation.
    public let message: String

    /// A problem from all its parts.
    public init(severity: Severity, file: String, line: Int, column: Int, path: String, message: String) {
        self.severity = severity
        self.file = file
        self.line = line
        self.column = column
        self.path = path
        self.message = message
    }

    /// An error about a file as a whole.
    public init(file: String, message: String) {
        self.init(severity: .error, file: file, line: 0, column: 0, path: "", message: message)
    }
}

extension DocumentProblem: CustomStringConvertible {
    /// `FILE:LINE:COL: error: PATH: message`; a part that is not known is left out.
    public var description: String {
        let place = line > 0 ? "\(file):\(line):\(column)" : file
        return path.isEmpty ? "\(place): \(severity): \(message)" : "\(place): \(severity): \(path): \(message)"
    }
}

extension [DocumentProblem] {
    /// Whether one of them makes the documents unusable.
    public var hasErrors: Bool { contains { $0.severity == .error } }
}
