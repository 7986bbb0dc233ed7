/// Reads one `spec` of a policy.
struct SpecReader {
    /// The namespace whose identities the policy can select; nil for a clusterwide policy.
    let namespace: String?
    /// Where problems go.
    let problems: DocumentProblems

    /// What is said of parts that are not about names.
    static let notEnforced = "not enforced here: this daemon decides about names only"

    /// The spec in `node`, in a list; the list is empty when it selects nodes, or nothing can be made of it.
    func spec(_ node: DocumentNode) -> [PolicyDocument.Spec] {
        let spec: PolicyDocument.Spec?? = node.mapping(problems) { spec in
            for key in ["ingress", "ingressDeny"] { noteUnenforced(spec.value(key)) }
            for key in ["labels", "description", "log"] { _ = spec.value(key) }
            let selector = spec.value("endpointSelector")
            let nodeSelector = spec.value("nodeSelector")
            let egress = rules(spec.value("egress"), isDeny: false)
            let egressDeny = rules(spec.value("egressDeny"), isDeny: true)
            var enablesDefaultDeny = !egress.isEmpty || !egressDeny.isEmpty
            spec.mapping("enableDefaultDeny") { defaults in
                _ = defaults.bool("ingress")
                if let egress = defaults.bool("egress") { enablesDefaultDeny = egress }
            }
            if let nodeSelector {
                if selector != nil {
                    problems.error(nodeSelector, "a spec has either nodeSelector or endpointSelector")
                }
                problems.notice(nodeSelector, "not enforced here: this daemon knows identities, not nodes")
                return nil
            }
            guard let selector else {
                problems.error(node, "\"endpointSelector\" is missing")
                return nil
            }
            warnOfOpenRules(egress)
            return PolicyDocument.Spec(
                selector: EndpointSelector(requirements(selector) + namespaceRequirement),
                enablesDefaultDeny: enablesDefaultDeny, egress: egress + egressDeny)
        }
        return [spec].compactMap { $0 ?? nil }
    }

    /// What ties a namespaced policy to its namespace.
    private var namespaceRequirement: [EndpointSelector.Requirement] {
        namespace.map { [EndpointSelector.Requirement("io.kubernetes.pod.namespace", .isIn, [$0])] } ?? []
    }

    /// The rules of `egress` or `egressDeny`.
    private func rules(_ node: DocumentNode?, isDeny: Bool) -> [EgressRule] {
        let reader = EgressRuleReader(isDeny: isDeny, problems: problems)
        return (node?.elements(problems) ?? []).compactMap { reader.rule($0) }
    }

    /// Says that a part is not enforced, if it is there.
    private func noteUnenforced(_ node: DocumentNode?) {
        if let node { problems.notice(node, SpecReader.notEnforced) }
    }

    /// Warns when a rule without `toPorts` opens every name although another one of the spec lists names.
    private func warnOfOpenRules(_ rules: [EgressRule]) {
        guard rules.contains(where: { ($0.toPorts ?? []).contains { $0.dns != nil } }) else { return }
        for rule in rules where rule.toPorts == nil && rule.toFQDNs == nil && rule.peers == .some {
            let message =
                "has no toPorts, so it covers port 53 and allows every name, although another rule lists names; "
                + "name the ports that are meant"
            problems.add(rule.place.problem(.warning, message))
        }
    }

    // MARK: Selectors

    /// The conditions of a label selector.
    private func requirements(_ node: DocumentNode) -> [EndpointSelector.Requirement] {
        var requirements: [EndpointSelector.Requirement] = []
        node.mapping(problems) { selector in
            for pair in selector.value("matchLabels").flatMap({ pairs($0) }) ?? [] {
                // `reserved:unknown: ""` is how Cilium itself writes reserved labels.
                let value = pair.value.isNull ? "" : pair.value.string(problems) ?? ""
                let key = LabelKey.canonical(pair.key)
                if value.isEmpty, key.hasPrefix("reserved:") {
                    requirements.append(.init(Identity.reservedLabel, .isIn, [String(key.dropFirst(9))]))
                } else {
                    requirements.append(.init(key, .isIn, [value]))
                }
            }
            for element in selector.elements("matchExpressions") ?? [] {
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
    /// `key` without the `k8s:` or `any:` that Cilium allows in front of it.
    static func canonical(_ key: String) -> String {
        key.hasPrefix("k8s:") || key.hasPrefix("any:") ? String(key.dropFirst(4)) : key
    }
}
