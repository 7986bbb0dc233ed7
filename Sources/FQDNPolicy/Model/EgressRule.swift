/// One entry of `egress` or `egressDeny`, reduced to what matters for names.
package struct EgressRule: Sendable {
    /// What a rule says about the other end of a connection, `toFQDNs` aside.
    package enum Peers: Sendable {
        /// Nothing.
        case unrestricted
        /// Peers, among them the cluster's DNS service, whose place this daemon takes.
        case resolver
        /// Peers that are something else.
        case others
        /// An empty list of peers, which is nobody.
        case nobody
    }

    /// Whether it denies what it matches.
    package let isDeny: Bool
    /// The other end.
    package let peers: Peers
    /// Ports and what is said about them; nil when the rule has no `toPorts`.
    package let toPorts: [PortRule]?
    /// The names that are learned; nil when the rule has no `toFQDNs`.
    package let toFQDNs: [PatternEntry]?
    /// Where the rule stands.
    package let place: DocumentPlace
    /// Its index in `egress` or `egressDeny`.
    package let number: Int

    /// A rule from its parts.
    package init(
        isDeny: Bool = false, peers: Peers = .unrestricted, toPorts: [PortRule]? = nil,
        toFQDNs: [PatternEntry]? = nil, place: DocumentPlace, number: Int = 0
    ) {
        self.isDeny = isDeny
        self.peers = peers
        self.toPorts = toPorts
        self.toFQDNs = toFQDNs
        self.place = place
        self.number = number
    }

    /// What a rule says about queries over some transports.
    package struct QueryTerm: Sendable {
        /// The names; nil for every name.
        package let entries: [PatternEntry]?
        /// The transports, at least one.
        package let transports: [QueryTransport]
    }

    /// What the rule says about queries: nothing when it does not cover port 53 of this daemon.
    ///
    /// A rule that names ports is about queries when they include 53, whatever its peers are. One that names only
    /// peers is, when the DNS service is one of them. `toFQDNs` makes the addresses of names the peers, and this daemon
    /// is none of them: such a rule is about queries only where it lists names under `rules.dns`. A denial that lists
    /// no names denies queries only when it is for the DNS service, or for everybody.
    package var queryTerms: [QueryTerm] {
        guard peers != .nobody else { return [] }
        let isForAnyName = toFQDNs == nil && (!isDeny || peers == .unrestricted || peers == .resolver)
        guard let toPorts else {
            // Without ports, peers and names the rule is Cilium's way to allow nothing at all.
            guard isForAnyName, peers == .resolver else { return [] }
            return [QueryTerm(entries: nil, transports: QueryTransport.allCases)]
        }
        return toPorts.compactMap { rule in
            let transports = rule.dnsTransports
            guard !transports.isEmpty, rule.dns != nil || isForAnyName else { return nil }
            return QueryTerm(entries: rule.dns, transports: transports)
        }
    }

    /// The ports that addresses learned by the rule are opened (or denied) for; none when it names only ports that
    /// are not known here. What is opened has transports with ports: an enforcer is told of no other.
    package var learnedPorts: [PortRange] {
        guard let toPorts else { return [.all] }
        let ports = toPorts.flatMap { $0.ports ?? [.all] }
        return isDeny ? ports : ports.filter { PortRange.transports.contains($0.protocol) }
    }

    /// Whether anything of the rule is enforced by this daemon.
    package var isAboutNames: Bool { toFQDNs != nil || !queryTerms.isEmpty }
}

/// One entry of `toPorts`.
package struct PortRule: Sendable {
    /// The ports; nil when the entry has none, which means every port. Named ports are not among them.
    package let ports: [PortRange]?
    /// The names that may be asked for; nil when the entry has no `rules.dns`, which means every name.
    package let dns: [PatternEntry]?

    /// An entry from its parts.
    package init(ports: [PortRange]?, dns: [PatternEntry]? = nil) {
        self.ports = ports
        self.dns = dns
    }

    /// The transports over which port 53 is covered.
    var dnsTransports: [QueryTransport] {
        guard let ports else { return QueryTransport.allCases }
        return QueryTransport.allCases.filter { transport in ports.contains { $0.coversDNS(transport) } }
    }
}

/// A port or a range of them.
package struct PortRange: Hashable, Sendable {
    /// First port; 0 to 65535 is every port, and no other range begins with 0.
    package let low: UInt16
    /// Last port, at least `low`.
    package let high: UInt16
    /// The transport protocol in upper case, as in `TCP`; `ANY` for all.
    package let `protocol`: String

    /// A range from its parts; swapped ends are put in order.
    package init(_ low: UInt16, _ high: UInt16, _ protocol: String) {
        self.low = min(low, high)
        self.high = max(low, high)
        self.protocol = `protocol`
    }

    /// The protocols that have ports.
    static let transports: Set<String> = ["ANY", "TCP", "UDP", "SCTP"]

    /// Every port of every protocol.
    package static let all = PortRange(0, .max, "ANY")

    /// Whether queries to port 53 over `transport` are covered.
    func coversDNS(_ transport: QueryTransport) -> Bool {
        low <= 53 && high >= 53 && (self.protocol == "ANY" || self.protocol == transport.protocolName)
    }
}

/// A pattern of a document with its place.
package struct PatternEntry: Sendable {
    /// The pattern.
    package let pattern: Pattern
    /// Line, counted from 1.
    package let line: Int
    /// Column in Unicode scalars, counted from 1.
    package let column: Int

    /// An entry from its parts.
    package init(_ pattern: Pattern, line: Int, column: Int = 1) {
        self.pattern = pattern
        self.line = line
        self.column = column
    }
}
