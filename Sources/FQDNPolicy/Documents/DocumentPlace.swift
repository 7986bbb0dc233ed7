/// Where something stands, for problems that show only later, without keeping the value itself.
package struct DocumentPlace: Sendable {
    /// Line, counted from 1.
    package let line: Int
    /// Column in Unicode scalars, counted from 1.
    package let column: Int
    /// The key path.
    package let location: DocumentPath

    /// A place from its parts.
    package init(line: Int, column: Int, location: DocumentPath) {
        self.line = line
        self.column = column
        self.location = location
    }

    /// A place in a document that was never text, such as one that a program made.
    package init(file: String, line: Int = 1, column: Int = 1) {
        self.init(line: line, column: column, location: DocumentPath(.file(file)))
    }

    /// `FILE:LINE:COL`.
    package var text: String { "\(location.file):\(line):\(column)" }

    /// A problem about what stands there.
    package func problem(_ severity: DocumentProblem.Severity, _ message: String) -> DocumentProblem {
        DocumentProblem(
            severity: severity, file: location.file, line: line, column: column, path: location.text,
            message: message)
    }
}
