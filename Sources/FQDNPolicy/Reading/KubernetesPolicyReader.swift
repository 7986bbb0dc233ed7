/// Reads `ClusterNetworkPolicy` of the Kubernetes network-policy API as far as it is about names.
///
/// Its `domainNames` select what is learned and never filter queries; `*.` means one or more labels there.
struct KubernetesPolicyReader {
    /// Where problems go.
    let problems: DocumentProblems

    /// The tiers of policies.
    private enum Tier: String, CaseIterable {
        case admin = "Admin"
        case baseline = "Baseline"
    }

    /// What a rule does.
    private enum Action: String, CaseIterable {
        case accept = "Accept"
        case deny = "Deny"
        case pass = "Pass"
    }

    /// The policy in a document; nil when so little of it can be read that there is nothing to go on with.
    func policy(_ node: DocumentNode) -> PolicyDocument? {
        let result: PolicyDocument?? = node.mapping(problems) { root in
            _ = root.value("kind")
            PolicyDocument.Kind.kubernetes.checkVersion(&root)
            let reader = MetadataReader(problems: problems)
            let metadata = root.mapping("metadata", required: true) { reader.metadata(&$0) }
            _ = root.value("status")
            let spec = root.mapping("spec", required: true) { self.spec(&$0) }
            if let node = metadata?.namespace { problems.error(node, "a ClusterNetworkPolicy has no namespace") }
            guard let metadata, !metadata.name.isEmpty else { return nil }
            return PolicyDocument(
                kind: .kubernetes, namespace: nil, name: metadata.name, file: node.file, line: metadata.line,
                column: metadata.column, isAudit: metadata.isAudit, matchesAliases: metadata.matchesAliases,
                specs: [spec].compactMap { $0 ?? nil })
        }
        return result ?? nil
    }

    /// The spec; nil when nobody is its subject.
    private func spec(_ spec: inout DocumentMapping) -> PolicyDocument.Spec? {
        _ = spec.choice("tier", Tier.self, required: true)
        _ = spec.integer("priority", in: 0...1000, required: true)
        if let ingress = spec.value("ingress") { problems.notice(ingress, SpecReader.notEnforced) }
        let place = spec.value("subject")?.place ?? spec.node.place
        let subject = spec.mapping("subject", required: true) { self.subject(&$0) }
        let rules = (spec.elements("egress") ?? []).enumerated().compactMap { rule($1, number: $0) }
        guard let subject = subject ?? nil else { return nil }
        return PolicyDocument.Spec(
            selector: EndpointSelector(subject), isAboutQueries: false, enablesDefaultDeny: false, egress: rules,
            place: place)
    }

    /// The conditions on whom the policy is about.
    private func subject(_ subject: inout DocumentMapping) -> [EndpointSelector.Requirement]? {
        let namespaces = subject.value("namespaces")
        let pods = subject.value("pods")
        switch (namespaces, pods) {
        case (let namespaces?, nil): return namespaceRequirements(namespaces)
        case (nil, let pods?):
            return pods.mapping(problems) { pods in
                let namespaces = pods.value("namespaceSelector").map { namespaceRequirements($0) } ?? []
                let selector = pods.value("podSelector", required: true)
                return namespaces + (selector.map { SelectorReader(problems: problems).requirements($0) } ?? [])
            }
        default:
            problems.error(subject.node, "has exactly one of namespaces and pods")
            return nil
        }
    }

    /// The conditions on the labels of a namespace, in the form that identities know them by.
    private func namespaceRequirements(_ node: DocumentNode) -> [EndpointSelector.Requirement] {
        SelectorReader(problems: problems).requirements(node).map {
            .init(LabelKey.namespaceLabelPrefix + $0.key, $0.operator, $0.values)
        }
    }

    // MARK: Rules

    /// One entry of `egress`; nil when it is not about names.
    private func rule(_ node: DocumentNode, number: Int) -> EgressRule? {
        let rule: EgressRule?? = node.mapping(problems) { rule in
            _ = rule.string("name")
            let action = rule.choice("action", Action.self, required: true)
            let ports = rule.elements("protocols")
            let toPorts = ports.map { [PortRule(ports: $0.compactMap { port($0) })] }
            var names: [PatternEntry] = []
            var lists = 0
            for peer in rule.elements("to", required: true) ?? [] {
                guard let list = self.names(peer) else { continue }
                lists += 1
                if action != .accept {
                    problems.error(list, "domainNames are only possible in rules with the action Accept")
                }
                names += (list.elements(problems) ?? []).compactMap { PatternEntry($0, .domainName, problems) }
            }
            guard lists > 0 else {
                problems.notice(node, SpecReader.notEnforced)
                return nil
            }
            return EgressRule(toPorts: toPorts, toFQDNs: names, place: node.place, number: number)
        }
        return rule ?? nil
    }

    /// The list of names of one entry of `to`; nil when it is about something else.
    private func names(_ peer: DocumentNode) -> DocumentNode? {
        let list: DocumentNode?? = peer.mapping(problems) { peer in
            let names = peer.value("domainNames")
            for key in ["namespaces", "pods", "nodes", "networks"] { _ = peer.value(key) }
            if peer.pairs.count != 1 {
                problems.error(peer.node, "has exactly one of domainNames, namespaces, pods, nodes and networks")
            }
            return names
        }
        return list ?? nil
    }

    /// The ports of one entry of `protocols`; nil when it cannot be read.
    private func port(_ node: DocumentNode) -> PortRange? {
        let range: PortRange?? = node.mapping(problems) { entry in
            var found: [PortRange] = []
            for key in ["tcp", "udp", "sctp"] {
                guard entry.has(key) else { continue }
                var range = PortRange(0, .max, key.uppercased())
                entry.mapping(key) { attributes in
                    attributes.mapping("destinationPort") { port in
                        if let (low, high) = numbers(&port) { range = PortRange(low, high, key.uppercased()) }
                    }
                }
                found.append(range)
            }
            if let named = entry.value("destinationNamedPort") {
                problems.warning(
                    named, "a named port is left out: learned addresses need port numbers [\(LintCode.namedPort)]")
            } else if found.count != 1 {
                problems.error(entry.node, "has exactly one of tcp, udp, sctp and destinationNamedPort")
            }
            return found.first
        }
        return range ?? nil
    }

    /// The first and the last port of a `destinationPort`.
    private func numbers(_ port: inout DocumentMapping) -> (UInt16, UInt16)? {
        let number = port.integer("number", in: 1...65535).flatMap { UInt16(exactly: $0) }
        guard let range = port.value("range") else {
            if number == nil, !port.has("number") { problems.error(port.node, "has neither number nor range") }
            return number.map { ($0, $0) }
        }
        if port.has("number") { problems.error(range, "a port has either number or range") }
        let ends: (UInt16, UInt16)?? = range.mapping(problems) { range in
            let start = range.integer("start", in: 1...65535, required: true).flatMap { UInt16(exactly: $0) }
            let end = range.integer("end", in: 1...65535, required: true).flatMap { UInt16(exactly: $0) }
            guard let start, let end else { return nil }
            if start >= end { problems.error(range.node, "start \(start) is not below end \(end)") }
            return (start, max(start, end))
        }
        return ends ?? nil
    }
}
