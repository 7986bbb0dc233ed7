/// Collects everything there is to say about documents while they are read, so that a user sees all of it at once.
///
/// At most `limit` errors are kept, and as many warnings and notices: a file of a million mistakes must not fill memory
/// or a terminal, and many notices must not hide an error.
package final class DocumentProblems {
    /// What was found, in the order of reading.
    package private(set) var list: [DocumentProblem] = []
    /// Most problems of either sort that are kept.
    private let limit: Int
    /// Errors that were found, kept or not.
    private var errors = 0
    /// Warnings and notices that were found, kept or not.
    private var remarks = 0

    /// Whether an error was found, kept or not.
    package var hasErrors: Bool { errors > 0 }

    /// Whether no more warnings and notices are kept.
    package var isFull: Bool { remarks > limit }

    /// An empty collection of at most `limit` errors, and as many warnings and notices.
    package init(limit: Int = 1000) {
        self.limit = limit
    }

    /// Notes a problem.
    package func add(_ problem: DocumentProblem) {
        let isError = problem.severity == .error
        if isError { errors += 1 } else { remarks += 1 }
        let count = isError ? errors : remarks
        if count <= limit {
            list.append(problem)
        } else if count == limit + 1 {
            list.append(
                DocumentProblem(
                    severity: isError ? .error : .notice, file: problem.file, line: 0, column: 0, path: "",
                    message: "there are more \(isError ? "errors" : "remarks"); these are the first"))
        }
    }

    /// Notes an error about the value `node`.
    package func error(_ node: DocumentNode, _ message: String) { add(node.problem(.error, message)) }

    /// Notes a warning about the value `node`.
    package func warning(_ node: DocumentNode, _ message: String) { add(node.problem(.warning, message)) }

    /// Notes something worth knowing about the value `node`.
    package func notice(_ node: DocumentNode, _ message: String) { add(node.problem(.notice, message)) }
}
