/// Reads one entry of `egress` or `egressDeny`.
struct EgressRuleReader {
    /// Whether it is one of `egressDeny`.
    let isDeny: Bool
    /// The namespace of the policy; nil for a clusterwide one.
    let namespace: String?
    /// Where problems go.
    let problems: DocumentProblems

    /// The keys that name the other end of a connection, `toEndpoints` and `toEntities` aside.
    private static let otherPeerKeys = ["toRequires", "toCIDR", "toCIDRSet", "toServices", "toGroups", "toNodes"]
    /// The entities that the DNS service is one of, and this daemon, which runs on the node in its place.
    private static let resolverEntities: Set<String> = ["all", "cluster", "host"]
    /// All entities that there are.
    private static let entities = [
        "all", "cluster", "health", "host", "ingress", "init", "kube-apiserver", "none", "remote-node", "unmanaged",
        "world", "world-ipv4", "world-ipv6",
    ]
    /// What a rule covers that has ICMP messages in place of ports.
    private static let icmp = PortRule(ports: [PortRange(0, .max, "ICMP")])
    /// What the DNS service of a cluster is known by.
    private static let resolvers = ["kube-dns", "node-local-dns"].map { name in
        let labels = ["k8s-app": name]
        return Identity(
            id: IdentityID(namespace: "kube-system", labels: labels), names: [name], namespace: "kube-system",
            labels: labels, prefixes: [])
    }

    /// The rule in `node`, the one with this index; nil when nothing can be made of it.
    func rule(_ node: DocumentNode, number: Int) -> EgressRule? {
        node.mapping(problems) { rule in
            let peers = peers(&rule)
            let icmps = rule.value("icmps")
            for part in [icmps, rule.value("authentication")].compactMap(\.self) {
                problems.notice(part, SpecReader.notEnforced)
            }
            let isAboutICMP = icmps.map { !$0.isNull && !($0.elements(problems) ?? []).isEmpty } ?? false
            let names = rule.elements("toFQDNs")
            let toFQDNs = names.map { entries($0) }
            let ports = rule.elements("toPorts")
            var toPorts = ports.map { $0.compactMap { portRule($0, learns: names != nil) } } ?? []
            if toPorts.isEmpty, isAboutICMP { toPorts = [EgressRuleReader.icmp] }
            let result = EgressRule(
                isDeny: isDeny, peers: peers, toPorts: toPorts.isEmpty ? nil : toPorts, toFQDNs: toFQDNs,
                place: node.place, number: number)
            if !rule.pairs.isEmpty, !result.isAboutNames { problems.notice(node, SpecReader.notEnforced) }
            return result
        }
    }

    /// Who the other end is.
    private func peers(_ rule: inout DocumentMapping) -> EgressRule.Peers {
        var lists = EgressRuleReader.otherPeerKeys.compactMap { rule.elements($0) }
        var hasResolver = false
        if let endpoints = rule.elements("toEndpoints") {
            lists.append(endpoints)
            for endpoint in endpoints where selectsResolver(endpoint) { hasResolver = true }
        }
        if let entities = rule.elements("toEntities") {
            lists.append(entities)
            for entity in entities where isResolver(entity: entity) { hasResolver = true }
        }
        if lists.contains(where: \.isEmpty) { return .nobody }
        return lists.isEmpty ? .unrestricted : hasResolver ? .resolver : .others
    }

    /// Whether the DNS service is one of an entity.
    private func isResolver(entity node: DocumentNode) -> Bool {
        guard let entity = node.string(problems) else { return false }
        let known = EgressRuleReader.entities
        if !known.contains(entity) {
            problems.error(
                node,
                "unknown entity \(quoted(entity))\(suggestion(for: entity, among: known)); "
                    + "expected one of \(known.joined(separator: ", "))")
        }
        return EgressRuleReader.resolverEntities.contains(entity)
    }

    /// Whether a selector of `toEndpoints` selects the DNS service. One that does not ask for a namespace means that
    /// of its policy.
    private func selectsResolver(_ node: DocumentNode) -> Bool {
        var requirements = SelectorReader(problems: problems).requirements(node)
        if let namespace, !requirements.contains(where: { LabelKey.isAboutNamespace($0.key) }) {
            requirements.append(.init(LabelKey.namespace, .isIn, [namespace]))
        }
        let selector = EndpointSelector(requirements)
        return EgressRuleReader.resolvers.contains { selector.selects($0) }
    }

    /// The patterns of `toFQDNs` or `rules.dns`; those that cannot be read are noted and left out.
    private func entries(_ nodes: [DocumentNode]) -> [PatternEntry] {
        nodes.compactMap { node in
            node.mapping(problems) { entry in
                let name = entry.value("matchName")
                let pattern = entry.value("matchPattern")
                if name != nil, pattern != nil {
                    problems.error(node, "has both matchName and matchPattern; an entry has exactly one of them")
                    return nil
                }
                guard let value = name ?? pattern else {
                    problems.error(node, "has neither matchName nor matchPattern; an entry has exactly one of them")
                    return nil
                }
                return PatternEntry(value, name != nil ? .matchName : .matchPattern, problems)
            } ?? nil
        }
    }

    // MARK: Ports

    /// One entry of `toPorts`; `learns` tells whether its ports go to the enforcer with learned addresses.
    private func portRule(_ node: DocumentNode, learns: Bool) -> PortRule? {
        node.mapping(problems) { entry in
            for key in ["terminatingTLS", "originatingTLS", "serverNames", "listener"] {
                if let part = entry.value(key) { problems.notice(part, SpecReader.notEnforced) }
            }
            let list = entry.elements("ports") ?? []
            let ports = list.isEmpty ? nil : list.compactMap { portRange($0, learns: learns) }
            var dns: [PatternEntry]?
            if let rules = entry.value("rules"), !rules.isNull {
                rules.mapping(problems) { rules in
                    for key in ["http", "kafka", "l7proto", "l7"] {
                        if let part = rules.value(key) { problems.notice(part, SpecReader.notEnforced) }
                    }
                    guard let node = rules.value("dns"), let list = node.elements(problems) else { return }
                    if list.isEmpty {
                        problems.warning(node, "an empty list of names matches none [\(LintCode.neverMatches)]")
                    }
                    dns = entries(list)
                    if PortRule(ports: ports).dnsTransports.isEmpty {
                        problems.warning(
                            node,
                            "has no effect: the ports beside it do not include 53 over UDP or TCP "
                                + "[\(LintCode.neverMatches)]")
                    }
                }
            }
            return PortRule(ports: ports, dns: dns)
        }
    }

    /// One entry of `ports`; nil when it cannot be read, or names a port that only an endpoint knows.
    private func portRange(_ node: DocumentNode, learns: Bool) -> PortRange? {
        let range: PortRange?? = node.mapping(problems) { entry in
            let port = entry.value("port", required: true)
            let end = entry.value("endPort")
            let `protocol` = self.protocol(entry.value("protocol"))
            if learns, !isDeny, !PortRange.transports.contains(`protocol`) {
                problems.warning(
                    node,
                    "\(`protocol`) is left out: learned addresses are opened for TCP, UDP and SCTP "
                        + "[\(LintCode.notEnforced)]")
            }
            guard let port, let text = port.string(problems) else { return nil }
            guard text.utf8.allSatisfy({ $0 &- 48 < 10 }) else {
                return named(text, port, `protocol`, learns: learns)
            }
            guard let low = port.integer(in: 0...65535, problems).flatMap({ UInt16(exactly: $0) }) else { return nil }
            // Cilium and the Kubernetes default both write 0 for "no endPort".
            guard let end, let last = end.integer(in: 0...65535, problems).flatMap({ UInt16(exactly: $0) }), last > 0
            else { return low == 0 ? PortRange(0, .max, `protocol`) : PortRange(low, low, `protocol`) }
            guard last >= low else {
                problems.error(end, "endPort \(last) is below port \(low)")
                return nil
            }
            // There is no port 0, and alone it stands for all.
            return last == .max && low == 0 ? PortRange(0, .max, `protocol`) : PortRange(max(low, 1), last, `protocol`)
        }
        return range ?? nil
    }

    /// The range of a named port: the names that DNS servers give to theirs mean 53, others nothing here.
    private func named(_ text: String, _ node: DocumentNode, _ protocol: String, learns: Bool) -> PortRange? {
        // The names that Kubernetes allows (RFC 6335, section 5.1, though longer): at least one letter, no hyphen at
        // an end.
        let bytes = Array(text.lowercased().utf8)
        let isName =
            bytes.count <= 63 && bytes.first != UInt8(ascii: "-") && bytes.last != UInt8(ascii: "-")
            && bytes.allSatisfy { isStarMatched($0) } && bytes.contains { $0 &- 97 < 26 }
        guard isName else {
            problems.error(node, "expected a port number from 0 to 65535 or a port name, found \(quoted(text))")
            return nil
        }
        if ["dns", "dns-tcp", "domain"].contains(text.lowercased()) { return PortRange(53, 53, `protocol`) }
        if learns {
            problems.warning(
                node,
                "the named port \(quoted(text)) is left out: learned addresses need port numbers "
                    + "[\(LintCode.namedPort)]")
        }
        return nil
    }

    /// The protocol in upper case; `ANY` when there is none.
    private func `protocol`(_ node: DocumentNode?) -> String {
        guard let node, let text = node.string(problems) else { return "ANY" }
        let known = ["TCP", "UDP", "SCTP", "ICMP", "ICMPV6", "VRRP", "IGMP", "ANY"]
        if known.contains(text.uppercased()) { return text.uppercased() }
        problems.error(
            node,
            "unknown protocol \(quoted(text))\(suggestion(for: text, among: known)); "
                + "expected one of \(known.joined(separator: ", "))")
        return "ANY"
    }
}

extension PatternEntry {
    /// The pattern that `node`, the value of `field`, has; nil, and an error, when it is none.
    init?(_ node: DocumentNode, _ field: Pattern.Field, _ problems: DocumentProblems) {
        guard let text = node.string(problems) else { return nil }
        do throws(PatternError) {
            self.init(try Pattern(field, text), line: node.line, column: node.column)
        } catch {
            problems.error(node, "\(quoted(text)) \(error)")
            return nil
        }
        if field == .matchPattern, Pattern.hasIdleStars(text) {
            problems.warning(
                node,
                "\(quoted(text)): stars in a row are as one star here; they stand for several labels only "
                    + "at the start, before a dot [\(LintCode.doubleStar)]")
        }
    }
}
