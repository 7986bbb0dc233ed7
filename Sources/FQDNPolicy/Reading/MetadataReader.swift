/// What is read of a policy's `metadata`.
struct PolicyMetadata {
    /// The policy's name.
    var name = ""
    /// Line of the name.
    var line = 0
    /// Column of the name.
    var column = 1
    /// The namespace, if there is one.
    var namespace: DocumentNode?
    /// Whether the policy is in audit.
    var isAudit = false
    /// Whether CNAME targets are matched.
    var matchesAliases = false
}

/// Reads `metadata`, whose form all kinds of policy share.
struct MetadataReader {
    /// Where problems go.
    let problems: DocumentProblems

    /// The values of the annotation `dnsproxyd.io/enforcement`.
    private enum Enforcement: String, CaseIterable {
        case enforce, audit
    }

    /// The values of the annotation `dnsproxyd.io/match-aliases`, which YAML has in quotes.
    private enum Truth: String, CaseIterable {
        case `true`, `false`
    }

    /// What is read of `metadata`; the rest of it is free.
    func metadata(_ mapping: inout DocumentMapping) -> PolicyMetadata {
        var metadata = PolicyMetadata()
        metadata.line = mapping.node.line
        if let name = mapping.value("name", required: true), let text = name.string(problems) {
            metadata.name = text
            metadata.line = name.line
            metadata.column = name.column
            if text.isEmpty || text.contains("/") { problems.error(name, "\(quoted(text)) is not a name") }
        }
        metadata.namespace = mapping.value("namespace")
        if let annotations = mapping.value("annotations"), !annotations.isNull {
            annotations.mapping(problems) { annotations in
                let enforcement = annotations.choice("dnsproxyd.io/enforcement", Enforcement.self)
                let aliases = annotations.choice("dnsproxyd.io/match-aliases", Truth.self)
                metadata.isAudit = enforcement == .audit
                metadata.matchesAliases = aliases == .true
                for pair in annotations.pairs where !pair.key.hasPrefix("dnsproxyd.io/") {
                    _ = annotations.value(pair.key)
                }
            }
        }
        mapping.acceptAllKeys()
        return metadata
    }
}
