import DNSWire
import FQDNCache
import FQDNPolicy

/// Where a query comes from, and when: what is kept of it until it ends, besides the way back.
struct QueryOrigin: Sendable {
    /// The client's address.
    let client: IPAddress
    /// The client's port.
    let port: UInt16
    /// How it came.
    let transport: QueryTransport
    /// When the turn began in which it was received.
    let arrived: Moment
    /// Whether the policy allowed it only because of audit; known once it was judged.
    var isAudited = false
}
