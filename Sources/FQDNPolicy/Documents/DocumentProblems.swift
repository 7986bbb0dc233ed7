/// Collects everything there is to say about documents while they are read, so that a user sees all of it at once.
///
/// At most `limit` problems are kept; a file of a million mistakes must not fill memory or a terminal.
package final class DocumentProblems {
    /// What was found, in the order of reading.
    package private(set) var list: [DocumentProblem] = []
    /// Most problems that are kept.
    private let limit: Int
    /// Whether an error was found, kept or not.
    package private(set) var hasErrors = false

    /// An empty collection of at most `limit` problems.
    package init(limit: Int = 1000) {
        self.limit = limit
    }

    /// Notes a problem.
    package func add(_ problem: DocumentProblem) {
        if problem.severity == .error { hasErrors = true }
        if list.count < limit {
            list.append(problem)
        } else if list.count == limit {
            list.append(DocumentProblem(file: problem.file, message: "there are more problems; these are the first"))
        }
    }

    /// Notes an error about the value `node`.
    package func error(_ node: DocumentNode, _ message: String) { add(node.problem(.error, message)) }

    /// Notes a warning about the value `node`.
    package func warning(_ node: DocumentNode, _ message: String) { add(node.problem(.warning, message)) }

    /// Notes something worth knowing about the value `node`.
    package func notice(_ node: DocumentNode, _ message: String) { add(node.problem(.notice, message)) }
}
