/// Reads `CiliumNetworkPolicy` and `CiliumClusterwideNetworkPolicy` (`cilium.io/v2`).
struct PolicyReader {
    /// The kind that the document says it has.
    let kind: PolicyDocument.Kind
    /// Where problems go.
    let problems: DocumentProblems

    /// The policy in a document; nil when so little of it can be read that there is nothing to go on with.
    func policy(_ node: DocumentNode) -> PolicyDocument? {
        let result: PolicyDocument?? = node.mapping(problems) { root in
            _ = root.value("kind")
            kind.checkVersion(&root)
            let reader = MetadataReader(problems: problems)
            let metadata = root.mapping("metadata", required: true) { reader.metadata(&$0) }
            _ = root.value("status")
            let spec = root.value("spec")
            let list = root.value("specs")
            if spec == nil, list == nil { problems.error(node, "\"spec\" is missing") }
            let namespace = metadata.flatMap { self.namespace($0) }
            let specs = SpecReader(namespace: namespace, problems: problems)
            var found = spec.flatMap { specs.spec($0, path: "spec") }.map { [$0] } ?? []
            for (number, spec) in (list?.elements(problems) ?? []).enumerated() {
                if let spec = specs.spec(spec, path: "specs[\(number)]") { found.append(spec) }
            }
            guard let metadata, !metadata.name.isEmpty else { return nil }
            return PolicyDocument(
                kind: kind, namespace: namespace, name: metadata.name, file: node.file, line: metadata.line,
                column: metadata.column, isAudit: metadata.isAudit, matchesAliases: metadata.matchesAliases,
                specs: found)
        }
        return result ?? nil
    }

    /// The namespace that the policy is for; nil when it is for all of them.
    private func namespace(_ metadata: PolicyMetadata) -> String? {
        guard kind == .namespaced else {
            if let node = metadata.namespace { problems.error(node, "a clusterwide policy has no namespace") }
            return nil
        }
        return metadata.namespace?.string(problems) ?? "default"
    }
}

extension PolicyDocument.Kind {
    /// The `apiVersion` that documents of this kind have.
    var apiVersion: String {
        switch self {
        case .namespaced, .clusterwide: "cilium.io/v2"
        case .kubernetes: "policy.networking.k8s.io/v1alpha2"
        }
    }

    /// Notes an error when a document has another version, or none.
    func checkVersion(_ root: inout DocumentMapping) {
        guard let version = root.value("apiVersion", required: true),
            let text = version.string(root.problems), text != apiVersion
        else { return }
        root.problems.error(version, "unknown version \(quoted(text)); expected \(apiVersion)")
    }
}
