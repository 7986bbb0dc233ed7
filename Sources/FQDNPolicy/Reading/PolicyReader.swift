/// Reads `CiliumNetworkPolicy` and `CiliumClusterwideNetworkPolicy` (`cilium.io/v2`).
struct PolicyReader {
    /// The kind that the document says it has.
    let kind: PolicyDocument.Kind
    /// Where problems go.
    let problems: DocumentProblems

    /// What `metadata` says.
    private struct Metadata {
        /// The policy's name.
        var name = ""
        /// Line of the name.
        var line = 0
        /// The namespace, if there is one.
        var namespace: DocumentNode?
        /// Whether the policy is in audit.
        var isAudit = false
        /// Whether CNAME targets are matched.
        var matchesAliases = false
    }

    /// The values of the annotation `dnsproxyd.io/enforcement`.
    private enum Enforcement: String, CaseIterable {
        case enforce, audit
    }

    /// The values of the annotation `dnsproxyd.io/match-aliases`, which YAML has in quotes.
    private enum Truth: String, CaseIterable {
        case `true`, `false`
    }

    /// The policy in a document; nil when so little of it can be read that there is nothing to go on with.
    func policy(_ node: DocumentNode) -> PolicyDocument? {
        let result: PolicyDocument?? = node.mapping(problems) { root in
            _ = root.value("kind")
            if let version = root.value("apiVersion", required: true), let text = version.string(problems),
                text != "cilium.io/v2"
            {
                problems.error(version, "unknown version \(quoted(text)); expected cilium.io/v2")
            }
            let metadata = root.mapping("metadata", required: true) { self.metadata(&$0) }
            _ = root.value("status")
            var specs: [PolicyDocument.Spec] = []
            let spec = root.value("spec")
            let list = root.value("specs")
            if spec == nil, list == nil { problems.error(node, "\"spec\" is missing") }
            let namespace = metadata.flatMap { self.namespace($0) }
            let reader = SpecReader(namespace: namespace, problems: problems)
            if let spec { specs += reader.spec(spec) }
            for spec in list?.elements(problems) ?? [] { specs += reader.spec(spec) }
            guard let metadata, !metadata.name.isEmpty else { return nil }
            return PolicyDocument(
                kind: kind, namespace: namespace, name: metadata.name, file: node.file, line: metadata.line,
                isAudit: metadata.isAudit, matchesAliases: metadata.matchesAliases, specs: specs)
        }
        return result ?? nil
    }

    /// What is read of `metadata`; the rest of it is free.
    private func metadata(_ mapping: inout DocumentMapping) -> Metadata {
        var metadata = Metadata()
        metadata.line = mapping.node.line
        if let name = mapping.value("name", required: true), let text = name.string(problems) {
            metadata.name = text
            metadata.line = name.line
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

    /// The namespace that the policy is for; nil when it is for all of them.
    private func namespace(_ metadata: Metadata) -> String? {
        guard kind == .namespaced else {
            if let node = metadata.namespace { problems.error(node, "a clusterwide policy has no namespace") }
            return nil
        }
        return metadata.namespace?.string(problems) ?? "default"
    }
}
