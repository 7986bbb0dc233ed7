/// Reads label selectors.
struct SelectorReader {
    /// Where problems go.
    let problems: DocumentProblems
    /// The only namespace that is selected from, whatever `matchLabels` say; nil for any.
    var namespace: String?

    /// The conditions of a selector with `matchLabels` and `matchExpressions`.
    func requirements(_ node: DocumentNode) -> [EndpointSelector.Requirement] {
        var requirements: [EndpointSelector.Requirement] = []
        node.mapping(problems) { selector in
            for pair in selector.value("matchLabels").flatMap({ pairs($0) }) ?? [] {
                // `reserved:unknown: ""` is how Cilium itself writes reserved labels.
                let value = pair.value.isNull ? "" : pair.value.string(problems) ?? ""
                let key = LabelKey.canonical(pair.key)
                if let namespace, key == LabelKey.namespace, value != namespace {
                    // As Cilium does with the key `k8s:io.kubernetes.pod.namespace`: no copied label takes a policy its effect.
                    problems.warning(
                        pair.value,
                        "\(quoted(value)) is not the namespace of the policy, which applies in \(quoted(namespace)) only: "
                            + "this label is left out [\(LintCode.notEnforced)]")
                } else if value.isEmpty, key.hasPrefix("reserved:") {
                    requirements.append(.init(Identity.reservedLabel, .isIn, [String(key.dropFirst(9))]))
                } else {
                    requirements.append(.init(key, .isIn, [value]))
                }
            }
            guard let expressions = selector.value("matchExpressions"), !expressions.isNull else { return }
            for element in expressions.elements(problems) ?? [] {
                if let requirement = element.mapping(problems, { expression(&$0) }) ?? nil {
                    requirements.append(requirement)
                }
            }
        }
        return requirements
    }

    /// One of `matchExpressions`; nil when it cannot be read.
    private func expression(_ mapping: inout DocumentMapping) -> EndpointSelector.Requirement? {
        let key = mapping.string("key", required: true)
        let `operator` = mapping.choice("operator", EndpointSelector.Requirement.Operator.self, required: true)
        let list = mapping.value("values")
        let values = list.flatMap { $0.isNull ? [] : $0.strings(problems) } ?? []
        guard let key, let `operator` else { return nil }
        switch `operator` {
        case .isIn, .notIn:
            if values.isEmpty { problems.error(list ?? mapping.node, "\(`operator`.rawValue) needs values") }
        case .exists, .doesNotExist:
            if let list, !values.isEmpty { problems.error(list, "\(`operator`.rawValue) has no values") }
        }
        return .init(LabelKey.canonical(key), `operator`, values)
    }

    /// The pairs of a mapping with free keys.
    private func pairs(_ node: DocumentNode) -> [DocumentNode.Pair]? {
        if node.isNull { return [] }
        return node.mapping(problems) { mapping in
            mapping.acceptAllKeys()
            return mapping.pairs
        }
    }
}

/// The forms that a label's key has in documents.
enum LabelKey {
    /// The key that selectors know the name of the namespace by.
    static let namespace = "io.kubernetes.pod.namespace"
    /// What Cilium writes before the key of a label that the namespace has.
    static let namespaceLabelPrefix = "io.cilium.k8s.namespace.labels."

    /// `key` without the `k8s:` or `any:` that Cilium allows in front of it.
    static func canonical(_ key: String) -> String {
        key.hasPrefix("k8s:") || key.hasPrefix("any:") ? String(key.dropFirst(4)) : key
    }

    /// Whether a selector asks for the namespace, or for one of its labels, by this key.
    static func isAboutNamespace(_ key: String) -> Bool {
        key == namespace || key.hasPrefix(namespaceLabelPrefix)
    }
}
