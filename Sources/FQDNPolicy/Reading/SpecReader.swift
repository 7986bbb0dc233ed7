/// Reads one `spec` of a policy.
struct SpecReader {
    /// The namespace whose identities the policy can select; nil for a clusterwide policy.
    let namespace: String?
    /// Where problems go.
    let problems: DocumentProblems

    /// What is said of parts that are not about names.
    static let notEnforced = "not enforced here: this daemon decides about names only [\(LintCode.notEnforced)]"

    /// The spec in `node`, whose key path is `path`; nil when it selects nodes, or nothing can be made of it.
    func spec(_ node: DocumentNode, path: String) -> PolicyDocument.Spec? {
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
                problems.notice(
                    nodeSelector,
                    "not enforced here: this daemon knows identities, not nodes [\(LintCode.notEnforced)]")
                return nil
            }
            guard let selector else {
                problems.error(node, "\"endpointSelector\" is missing")
                return nil
            }
            warnOfOpenRules(egress)
            return PolicyDocument.Spec(
                selector: EndpointSelector(
                    SelectorReader(problems: problems, namespace: namespace).requirements(selector)
                        + namespaceRequirement),
                enablesDefaultDeny: enablesDefaultDeny, egress: egress + egressDeny, path: path,
                place: selector.place)
        }
        return spec ?? nil
    }

    /// What ties a namespaced policy to its namespace.
    private var namespaceRequirement: [EndpointSelector.Requirement] {
        namespace.map { [EndpointSelector.Requirement(LabelKey.namespace, .isIn, [$0])] } ?? []
    }

    /// The rules of `egress` or `egressDeny`.
    private func rules(_ node: DocumentNode?, isDeny: Bool) -> [EgressRule] {
        let reader = EgressRuleReader(isDeny: isDeny, namespace: namespace, problems: problems)
        return (node?.elements(problems) ?? []).enumerated().compactMap { reader.rule($1, number: $0) }
    }

    /// Says that a part is not enforced, if it is there.
    private func noteUnenforced(_ node: DocumentNode?) {
        if let node { problems.notice(node, SpecReader.notEnforced) }
    }

    /// Warns when a rule without `toPorts` opens every name although another one of the spec lists names.
    private func warnOfOpenRules(_ rules: [EgressRule]) {
        guard rules.contains(where: { ($0.toPorts ?? []).contains { $0.dns != nil } }) else { return }
        for rule in rules where rule.toPorts == nil && rule.toFQDNs == nil && rule.peers == .resolver {
            let message =
                "has no toPorts, and the DNS service is among its peers, so it allows every name, although another "
                + "rule lists names; name the ports that are meant [\(LintCode.everyName)]"
            problems.add(rule.place.problem(.warning, message))
        }
    }
}
