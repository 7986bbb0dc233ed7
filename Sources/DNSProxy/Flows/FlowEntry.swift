import DNSWire
import FQDNCache
import FQDNPolicy

/// One finished query as a worker notes it: plain data of a fixed size. What it says to people is `FlowReader`'s business.
struct FlowEntry {
    /// Bytes of the message that are kept.
    static let capacity = 400

    /// What stands for a time that there is none of.
    static let none: Int64 = -1

    /// The client's address.
    var client = IPAddress(ipv4: 0)
    /// The client's port.
    var port: UInt16 = 0
    /// How it came.
    var transport = QueryTransport.udp
    /// How it ended.
    var outcome = QueryOutcome.dropped
    /// Why there was no reply; nil when there was one.
    var drop: DropReason?
    /// Whether the policy would have denied it but for audit.
    var isAudited = false
    /// The number of the identity that asked.
    var identity = IdentityID.unknown
    /// The policy that judged it.
    var generation: UInt64 = 0
    /// When it arrived.
    var arrived = Moment(nanoseconds: 0)
    /// Nanoseconds until it ended; `none` until the turn is over in which it came and ended.
    var total = FlowEntry.none
    /// Nanoseconds that it waited for an upstream, or `none`.
    var upstream = FlowEntry.none
    /// Nanoseconds that its reply waited for the feed, or `none`.
    var hold = FlowEntry.none
    /// Length of the message: the reply, or the query when there was no reply.
    var length: UInt16 = 0
    /// The first bytes of it.
    var message = InlineArray<400, UInt8>(repeating: 0)

    /// Makes it that of a query, but for what is behind its message.
    mutating func set(
        _ message: Span<UInt8>, of origin: QueryOrigin, outcome: QueryOutcome, drop: DropReason?, isAudited: Bool,
        identity: IdentityID, times: FlowTimes, generation: UInt64
    ) {
        client = origin.client
        port = origin.port
        transport = origin.transport
        self.outcome = outcome
        self.drop = drop
        self.isAudited = isAudited
        self.identity = identity
        self.generation = generation
        arrived = origin.arrived
        total = times.total
        upstream = times.upstream
        hold = times.hold
        length = UInt16(clamping: message.count)
        var room = self.message.mutableSpan
        room.copy(message.extracting(0..<min(message.count, FlowEntry.capacity)), at: 0)
    }

    /// What its message says; of one that was dropped only what it asks for, since it is nobody's answer.
    var decoded: FlowMessage { FlowMessage(message.span.extracting(0..<count), isReply: drop == nil) }
    /// How many bytes of the message are there.
    var count: Int { min(Int(length), FlowEntry.capacity) }
    /// When it ended.
    var ended: Moment { arrived.adding(nanoseconds: max(total, 0)) }
}

/// The times of a query that has waited, in nanoseconds.
struct FlowTimes {
    /// From its arrival to its end; `FlowEntry.none` while that is not known.
    var total = FlowEntry.none
    /// For an upstream, or `FlowEntry.none`.
    var upstream = FlowEntry.none
    /// For the feed, or `FlowEntry.none`.
    var hold = FlowEntry.none
}
