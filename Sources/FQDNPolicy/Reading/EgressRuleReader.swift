/// Reads one entry of `egress` or `egressDeny`.
struct EgressRuleReader {
    /// Whether it is one of `egressDeny`.
    let isDeny: Bool
    /// Where problems go.
    let problems: DocumentProblems

    /// The keys that name the other end of a connection.
    private static let peerKeys = [
        "toEndpoints", "toRequires", "toCIDR", "toCIDRSet", "toEntities", "toServices", "toGroups", "toNodes",
    ]

    /// The rule in `node`; nil when nothing can be made of it.
    func rule(_ node: DocumentNode) -> EgressRule? {
        node.mapping(problems) { rule in
            var peers = EgressRule.Peers.unrestricted
            for key in EgressRuleReader.peerKeys {
                guard let list = rule.elements(key) else { continue }
                if list.isEmpty {
                    peers = .nobody
                } else if peers != .nobody {
                    peers = .some
                }
            }
            for key in ["icmps", "authentication"] {
                if let part = rule.value(key) { problems.notice(part, SpecReader.notEnforced) }
            }
            let names = rule.elements("toFQDNs")
            let toFQDNs = names.map { entries($0) }
            let ports = rule.elements("toPorts")
            let toPorts = ports.map { $0.compactMap { portRule($0, learns: names != nil) } }
            let result = EgressRule(
                isDeny: isDeny, peers: peers, toPorts: toPorts.flatMap { $0.isEmpty ? nil : $0 }, toFQDNs: toFQDNs,
                place: node.place)
            if !rule.pairs.isEmpty, !result.isAboutNames { problems.notice(node, SpecReader.notEnforced) }
            return result
        }
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
                return self.entry(value, name != nil ? .matchName : .matchPattern)
            } ?? nil
        }
    }

    /// The pattern that `node`, the value of `field`, has.
    private func entry(_ node: DocumentNode, _ field: Pattern.Field) -> PatternEntry? {
        guard let text = node.string(problems) else { return nil }
        do throws(PatternError) {
            return PatternEntry(try Pattern(field, text), line: node.line)
        } catch {
            problems.error(node, "\(quoted(text)) \(error)")
            return nil
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
                    if list.isEmpty { problems.warning(node, "an empty list of names matches none") }
                    dns = entries(list)
                    if PortRule(ports: ports).dnsTransports.isEmpty {
                        problems.warning(node, "has no effect: the ports beside it do not include 53 over UDP or TCP")
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
            return PortRange(low, last, `protocol`)
        }
        return range ?? nil
    }

    /// The range of a named port: the names that DNS servers give to theirs mean 53, others nothing here.
    private func named(_ text: String, _ node: DocumentNode, _ protocol: String, learns: Bool) -> PortRange? {
        let isName =
            !text.isEmpty && text.utf8.count <= 63
            && text.utf8.allSatisfy { isStarMatched($0 &- 0x41 < 26 ? $0 | 0x20 : $0) }
        guard isName else {
            problems.error(node, "expected a port number from 0 to 65535 or a port name, found \(quoted(text))")
            return nil
        }
        if ["dns", "dns-tcp", "domain"].contains(text.lowercased()) { return PortRange(53, 53, `protocol`) }
        if learns {
            problems.warning(node, "the named port \(quoted(text)) is left out: learned addresses need port numbers")
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
