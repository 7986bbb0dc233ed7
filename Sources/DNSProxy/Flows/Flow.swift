/// One query that has ended, as people and programs see it; a line of `GET /v1/flows`.
public struct Flow: Codable, Hashable, Sendable {
    /// When it ended: UTC seconds since the epoch.
    public var time: Double
    /// What became of it.
    public var verdict: FlowVerdict
    /// How it ended: the label of `dnsproxyd_outcomes_total`.
    public var outcome: String
    /// The client's address.
    public var client: String
    /// The client's port.
    public var clientPort: UInt16
    /// `udp` or `tcp`.
    public var transport: String
    /// The number of the identity that asked.
    public var identity: UInt64
    /// That identity as `namespace/name`; empty for one that is in no document any more.
    public var identityName: String
    /// Its namespace.
    public var namespace: String
    /// Its name in there.
    public var workload: String
    /// Its labels.
    public var labels: [String: String]
    /// The name that was asked for, absolute; empty when the query had none that could be read.
    public var name: String
    /// The record type's mnemonic; empty like the name.
    public var type: String
    /// The response code's mnemonic; nil when nothing was sent.
    public var rcode: String?
    /// The addresses in the answer.
    public var addresses: [String] = []
    /// The targets of the aliases in the answer, in their order.
    public var cnames: [String] = []
    /// The smallest TTL in the answer, in seconds; nil when there was no record.
    public var ttl: UInt32?
    /// The types of the records in the answer, each once.
    public var recordTypes: [String] = []
    /// Whether the answer was longer than what is kept of it, so that it may have had more.
    public var isCut = false
    /// Nanoseconds from its arrival to its end.
    public var nanoseconds: Int64
    /// Nanoseconds of those that it waited for an upstream; nil for one that did not.
    public var upstreamNanoseconds: Int64?
    /// Nanoseconds that its reply waited for the journal or enforcers; nil for one that did not.
    public var holdNanoseconds: Int64?
    /// Why, in one sentence; nil where there is nothing to explain.
    public var reason: String?
    /// The rule that decided; nil when it was none.
    public var rule: Rule?

    /// A rule of a policy, and where it is.
    public struct Rule: Codable, Hashable, Sendable {
        /// `namespace/name`, or the name of a clusterwide policy.
        public var policy: String
        /// The text, such as `matchPattern: "*.example.com"`.
        public var rule: String
        /// The file that it is in.
        public var file: String
        /// Its line there.
        public var line: Int
        /// Its key path there, such as `spec.egress[0]`.
        public var path: String
    }
}

/// Flows that a reader does not get.
public struct FlowLoss: Codable, Hashable, Sendable {
    /// Why.
    public enum Reason: String, Codable, CaseIterable, Sendable {
        /// There were more in a second than `flows.rate` or `flows.watchedRate`.
        case rate
        /// The reader was so slow that they were overwritten.
        case overtaken
    }

    /// Why.
    public var reason: Reason
    /// How many, the reader's filters not applied.
    public var count: UInt64
}

/// What a reader of flows gets: a line of `GET /v1/flows`.
public enum FlowEvent: Hashable, Sendable {
    /// A flow.
    case flow(Flow)
    /// Flows that are missing here.
    case lost(FlowLoss)
}

extension FlowEvent: Codable {
    /// The key that says which of them it is.
    private enum CodingKeys: String, CodingKey {
        case flow
        case lost
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let loss = try container.decodeIfPresent(FlowLoss.self, forKey: .lost) {
            self = .lost(loss)
        } else {
            self = .flow(try container.decode(Flow.self, forKey: .flow))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .flow(let flow): try container.encode(flow, forKey: .flow)
        case .lost(let loss): try container.encode(loss, forKey: .lost)
        }
    }
}
