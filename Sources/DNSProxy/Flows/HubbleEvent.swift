import DNSWire
import MappingFeed

/// A flow, or the loss of some, in the JSON that Hubble writes (`flow.proto` and `observer.proto` of Cilium, as protobuf
/// writes JSON): for programs that read Hubble's flows already. What Hubble has no field for is in one object of our own,
/// `dnsproxyd`, which its readers leave out; `extensions` would be the place by name, but what they do not know in there
/// is an error to them.
///
/// It is told from the client's side: `source` is who asked, whichever way the message went.
public struct HubbleEvent: Sendable {
    /// The object.
    private let object: [String: JSONValue]

    /// What `event` is on `node`, of which `fields` are kept. A loss has no time of its own and gets `time`, in seconds
    /// since the epoch.
    public init(_ event: FlowEvent, node: String, time: Double, fields: HubbleFields = .all) {
        switch event {
        case .flow(let flow):
            let time = JSONValue.string(Timestamp.text(flow.time))
            let full = HubbleEvent.flow(flow, node: node, time: time)
            object = ["flow": .object(fields.kept(of: full)), "node_name": .string(node), "time": time]
        case .lost(let loss):
            let source = loss.reason == .rate ? "OBSERVER_EVENTS_QUEUE" : "HUBBLE_RING_BUFFER"
            object = [
                "lost_events": .object(["source": .string(source), "num_events_lost": .string("\(loss.count)")]),
                "node_name": .string(node), "time": .string(Timestamp.text(time)),
            ]
        }
    }

    /// One line without its line feed.
    public var line: [UInt8] {
        var writer = LineWriter()
        JSONValue.object(object).write(to: &writer)
        return Array(writer.bytes)
    }

    /// The object of a flow.
    private static func flow(_ flow: Flow, node: String, time: JSONValue) -> [String: JSONValue] {
        let transport = flow.transport == "udp" ? "UDP" : "TCP"
        var object: [String: JSONValue] = [
            "time": time, "verdict": .string(flow.verdict.rawValue), "node_name": .string(node), "Type": .string("L7"),
            "traffic_direction": .string("EGRESS"),
            "IP": .object([
                "source": .string(flow.client), "ipVersion": .string(flow.client.contains(":") ? "IPv6" : "IPv4"),
            ]),
            "l4": .object([transport: .object(["source_port": .number(UInt64(flow.clientPort))])]),
            "source": .object(source(flow)),
            "l7": .object([
                "type": .string(flow.rcode == nil ? "REQUEST" : "RESPONSE"),
                "latency_ns": .string("\(flow.nanoseconds)"), "dns": .object(dns(flow)),
            ]),
            "dnsproxyd": .object(own(flow)),
        ]
        if flow.outcome == QueryOutcome.denied.label || flow.outcome == QueryOutcome.prohibited.label {
            object["drop_reason_desc"] = .string("POLICY_DENIED")
        }
        if let rule = flow.rule, flow.verdict != .error {
            let parts = rule.policy.split(separator: "/", maxSplits: 1).map(String.init)
            var policy: [String: JSONValue] = ["name": .string(parts.last ?? rule.policy)]
            if parts.count == 2 { policy["namespace"] = .string(parts[0]) }
            object[flow.verdict == .forwarded ? "egress_allowed_by" : "egress_denied_by"] = .array([.object(policy)])
        }
        return object
    }

    /// What Hubble does not know; numbers of 64 bits are text, as in the rest.
    private static func own(_ flow: Flow) -> [String: JSONValue] {
        var own: [String: JSONValue] = ["outcome": .string(flow.outcome)]
        if let upstream = flow.upstreamNanoseconds { own["upstream_ns"] = .string("\(upstream)") }
        if let hold = flow.holdNanoseconds { own["hold_ns"] = .string("\(hold)") }
        if let reason = flow.reason { own["reason"] = .string(reason) }
        if let rule = flow.rule {
            own["rule"] = .object([
                "policy": .string(rule.policy), "rule": .string(rule.rule), "file": .string(rule.file),
                "line": .number(UInt64(clamping: rule.line)), "path": .string(rule.path),
            ])
        }
        return own
    }

    /// Who asked. The field for the identity's number has 32 bits, so it gets the lower ones of ours.
    private static func source(_ flow: Flow) -> [String: JSONValue] {
        var source: [String: JSONValue] = [
            "identity": .number(flow.identity & 0xFFFF_FFFF),
            "labels": .array(flow.labels.sorted { $0.key < $1.key }.map { .string("\($0.key)=\($0.value)") }),
        ]
        if !flow.namespace.isEmpty {
            source["namespace"] = .string(flow.namespace)
            source["pod_name"] = .string(flow.workload)
        }
        return source
    }

    /// What was asked and answered.
    private static func dns(_ flow: Flow) -> [String: JSONValue] {
        var dns: [String: JSONValue] = ["query": .string(flow.name), "observation_source": .string("proxy")]
        if !flow.type.isEmpty { dns["qtypes"] = .array([.string(flow.type)]) }
        if let rcode = flow.rcode, let code = ResponseCode(rcode) {
            dns["rcode"] = .number(UInt64(code.rawValue))
        }
        if !flow.addresses.isEmpty { dns["ips"] = .array(flow.addresses.map { .string($0) }) }
        if !flow.cnames.isEmpty { dns["cnames"] = .array(flow.cnames.map { .string($0) }) }
        if !flow.recordTypes.isEmpty { dns["rrtypes"] = .array(flow.recordTypes.map { .string($0) }) }
        if let ttl = flow.ttl { dns["ttl"] = .number(UInt64(ttl)) }
        return dns
    }
}
