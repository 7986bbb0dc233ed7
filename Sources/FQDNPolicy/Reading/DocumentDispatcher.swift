/// Reads the documents of a policy file: policies of every kind, and lists of identities.
package struct DocumentDispatcher {
    /// The policies read so far.
    package private(set) var policies: [PolicyDocument] = []
    /// The identities read so far.
    package private(set) var identities: [IdentityEntry] = []
    /// Where problems go.
    private let problems: DocumentProblems

    /// A reader that has read nothing yet.
    package init(problems: DocumentProblems) {
        self.problems = problems
    }

    /// Reads every document of a text, whatever its kind.
    package mutating func read(_ text: String, file: String, limits: DocumentLimits = DocumentLimits()) {
        for node in DocumentNode.documents(in: text, file: file, limits: limits, problems: problems) { read(node) }
    }

    /// Reads one document.
    private mutating func read(_ node: DocumentNode) {
        guard case .mapping(let pairs) = node.content else {
            problems.error(node, "expected a policy or an identities document, found \(node.kind)")
            return
        }
        if let kind = pairs.first(where: { $0.key == "kind" })?.value {
            guard let kind = known(kind) else { return }
            let policy =
                kind == .kubernetes
                ? KubernetesPolicyReader(problems: problems).policy(node)
                : PolicyReader(kind: kind, problems: problems).policy(node)
            if let policy { policies.append(policy) }
        } else if pairs.contains(where: { $0.key == "identities" }) {
            identities += IdentityReader(problems: problems).identities(node)
        } else {
            problems.error(node, "\"kind\" is missing; known are \(DocumentDispatcher.knownKinds)")
        }
    }

    /// The kind that a document names; nil, and an error, when it is not one of ours.
    private func known(_ node: DocumentNode) -> PolicyDocument.Kind? {
        guard let text = node.string(problems) else { return nil }
        if let kind = PolicyDocument.Kind(rawValue: text) { return kind }
        let hint = suggestion(for: text, among: PolicyDocument.Kind.allCases.map(\.rawValue))
        problems.error(node, "unknown kind \(quoted(text))\(hint); known are \(DocumentDispatcher.knownKinds)")
        return nil
    }

    /// The kinds for a message.
    private static let knownKinds =
        PolicyDocument.Kind.allCases.map(\.rawValue).joined(separator: ", ") + ", and identities documents without kind"
}
