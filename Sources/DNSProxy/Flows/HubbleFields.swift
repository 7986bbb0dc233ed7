/// Which fields of a Hubble flow are written: those with these paths, and all below them.
public struct HubbleFields: Sendable {
    /// Paths that are kept; nil for all.
    private let kept: Set<String>?
    /// Paths that are left out all the same.
    private let redacted: Set<String>

    /// Everything.
    public static let all = HubbleFields(kept: nil, redacted: [])

    /// Every path that there is.
    static let known: Set<String> = [
        "time", "verdict", "drop_reason_desc", "IP", "IP.source", "IP.ipVersion", "l4", "source", "source.identity",
        "source.namespace", "source.labels", "source.pod_name", "Type", "node_name", "traffic_direction", "l7",
        "l7.type", "l7.latency_ns", "l7.dns", "l7.dns.query", "l7.dns.ips", "l7.dns.ttl", "l7.dns.cnames",
        "l7.dns.observation_source", "l7.dns.rcode", "l7.dns.qtypes", "l7.dns.rrtypes", "egress_allowed_by",
        "egress_denied_by", "dnsproxyd", "dnsproxyd.outcome", "dnsproxyd.upstream_ns", "dnsproxyd.hold_ns",
        "dnsproxyd.reason", "dnsproxyd.rule", "dnsproxyd.rule.policy", "dnsproxyd.rule.rule", "dnsproxyd.rule.file",
        "dnsproxyd.rule.line", "dnsproxyd.rule.path",
    ]

    /// The fields with the paths `kept`, or all, but those with the paths `redacted`.
    init(kept: Set<String>?, redacted: Set<String>) {
        self.kept = kept
        self.redacted = redacted
    }

    /// What is kept of `object`.
    func kept(of object: [String: JSONValue]) -> [String: JSONValue] {
        kept == nil && redacted.isEmpty ? object : kept(of: object, below: "", isKept: kept == nil)
    }

    /// What is kept of the object behind `path`; all of it but what is redacted when `isKept`.
    private func kept(of object: [String: JSONValue], below path: String, isKept: Bool) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        for (name, value) in object {
            let own = path.isEmpty ? name : "\(path).\(name)"
            guard !redacted.contains(own) else { continue }
            let isKept = isKept || kept?.contains(own) == true
            if case .object(let inner) = value {
                let rest = kept(of: inner, below: own, isKept: isKept)
                if !rest.isEmpty { result[name] = .object(rest) }
            } else if isKept {
                result[name] = value
            }
        }
        return result
    }
}
