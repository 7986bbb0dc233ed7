/// How a query arrived, as far as port rules tell the difference.
public enum QueryTransport: String, Sendable, CaseIterable, Codable {
    /// UDP.
    case udp
    /// TCP, with or without TLS.
    case tcp

    /// The name that policy documents have for it.
    public var protocolName: String { self == .udp ? "UDP" : "TCP" }
}

/// What the policy says about one query; plain data.
public struct Verdict: Hashable, Sendable {
    /// Whether the query is answered.
    public enum Outcome: String, Sendable, CaseIterable, Codable {
        /// It is.
        case allowed
        /// A policy denies the name: REFUSED with Extended DNS Error 15.
        case denied
        /// It is answered, and reported as one that would have been denied.
        case audited
        /// The client is unknown and has no right to ask: REFUSED with Extended DNS Error 18.
        case prohibited
    }

    /// Whether the query is answered.
    public let outcome: Outcome
    /// Whether a `toFQDNs` selects the name, so that the addresses in its answer are learned.
    public let isSelected: Bool
    /// Whether a `toFQDNs` of a policy that matches CNAME targets selects the name, asked for as such a target.
    public let isSelectedAsAlias: Bool

    /// A verdict from its parts.
    public init(outcome: Outcome, isSelected: Bool, isSelectedAsAlias: Bool = false) {
        self.outcome = outcome
        self.isSelected = isSelected
        self.isSelectedAsAlias = isSelectedAsAlias
    }

    /// Whether the query goes on to the cache and upstream.
    public var isAnswered: Bool { outcome == .allowed || outcome == .audited }
}
