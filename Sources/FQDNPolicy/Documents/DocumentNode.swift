/// One value of a YAML document, and where it stands.
///
/// How to read a document (policies, identities, the configuration of the daemon):
///
///     let problems = DocumentProblems()
///     for node in DocumentNode.documents(in: text, file: "dnsproxyd.yaml", problems: problems) {
///         node.mapping(problems) { root in
///             workers = root.integer("workers", in: 1...256) ?? workers
///             listen = root.values("listen", "an address and port") { SocketAddress($0) } ?? listen
///             enforcement = root.choice("enforcement", EnforcementMode.self) ?? .default
///             root.mapping("cache") { cache in
///                 size = cache.value("size", "a size such as 64MiB") { ByteSize($0) } ?? size
///                 serveStale = cache.value("serveStale", "a time such as 30s") { Duration(text: $0) } ?? serveStale
///             }
///         }
///     }
///     guard !problems.hasErrors else { … print problems.list … }
///
/// Every reading function of `DocumentMapping` returns nil when the key is absent and also when its value is bad; in
/// the latter case the problem was noted with its place. When the closure of `mapping` ends, every key that it did
/// not ask for is an error, with a suggestion when one that it did ask for is close.
package struct DocumentNode: Sendable {
    /// The kinds of value; `isPlain` is false for quoted and block text, which is never a number or a truth value.
    package indirect enum Content: Sendable {
        /// Text as YAML decoded it.
        case scalar(String, isPlain: Bool)
        /// A list.
        case sequence([DocumentNode])
        /// Keys and values in the order of the file; keys are unique.
        case mapping([Pair])
    }

    /// A key of a mapping with its value.
    package struct Pair: Sendable {
        /// The key's text.
        package let key: String
        /// Line of the key, counted from 1.
        package let line: Int
        /// Column of the key, counted from 1.
        package let column: Int
        /// What the key stands for.
        package let value: DocumentNode
    }

    /// Line, counted from 1.
    package let line: Int
    /// Column in Unicode scalars, counted from 1.
    package let column: Int
    /// The key path as a chain; `path` is its text.
    package let location: DocumentPath
    /// The value.
    package let content: Content

    /// The file as it was named to the reader.
    package var file: String { location.file }

    /// Key path such as `spec.egress[0].toPorts`.
    package var path: String { location.text }

    /// Whether the value is YAML's null: nothing at all, `~` or `null`, unquoted.
    package var isNull: Bool {
        guard case .scalar(let text, true) = content else { return false }
        return text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL"
    }

    /// What the value is, for a sentence such as "expected a list, found text".
    package var kind: String {
        switch content {
        case .scalar: isNull ? "nothing" : "text"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// Where it stands.
    package var place: DocumentPlace { DocumentPlace(line: line, column: column, location: location) }

    /// A problem about this value.
    package func problem(_ severity: DocumentProblem.Severity, _ message: String) -> DocumentProblem {
        place.problem(severity, message)
    }
}
