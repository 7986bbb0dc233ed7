import DNSWire
import MappingFeed

/// Addresses that one answer brought for one identity; an element of `GET /v1/mappings`, with the keys of
/// `cilium-dbg fqdn cache list -o json` and the client beside them.
public struct MappingListing: Codable, Hashable, Sendable {
    /// The identity's number.
    public var endpointID: UInt64
    /// The identity as `namespace/name`.
    public var endpoint: String
    /// The address that asked last.
    public var client: String
    /// When the addresses are closed, grace included (RFC 3339).
    public var expirationTime: String
    /// The name that was asked, in presentation format.
    public var fqdn: String
    /// The addresses.
    public var ips: [String]
    /// When an answer last carried them (RFC 3339); nil when that is not known.
    public var lookupTime: String?
    /// Why they are open, in the words of `cilium-dbg fqdn cache list`.
    public var source: Source
    /// Where they come from: `answer`, `hint`, `restore` or `connection`, as the feed has it.
    public var origin: String
    /// The TTL that the client was given, in seconds.
    public var ttl: UInt32

    /// The names of the fields in JSON.
    private enum CodingKeys: String, CodingKey {
        case endpointID = "endpoint-id"
        case endpoint
        case client
        case expirationTime = "expiration-time"
        case fqdn
        case ips
        case lookupTime = "lookup-time"
        case origin
        case source
        case ttl
    }

    /// Why addresses are open.
    public enum Source: String, Codable, CaseIterable, Sendable {
        /// Somebody looked the name up, and the time that the answer gave is not over.
        case lookup
        /// That time is over, but an enforcer has reported a connection to them.
        case connection
    }

    /// `mapping` as one element for all the addresses that have source, TTL and times in common.
    static func elements(of mapping: AdminMapping) -> [MappingListing] {
        /// What addresses of one element have in common.
        struct Group: Hashable {
            let origin: MappingSource
            let ttl: UInt32
            let lookedUp: Double?
            let expires: Double
        }
        let groups = Dictionary(grouping: mapping.addresses) {
            Group(origin: $0.source, ttl: $0.ttl, lookedUp: $0.lookedUp, expires: $0.expires)
        }
        let sorted = groups.sorted {
            ($0.key.expires, $0.key.origin.rawValue) < ($1.key.expires, $1.key.origin.rawValue)
        }
        return sorted.map { group, addresses in
            MappingListing(
                endpointID: mapping.identity, endpoint: mapping.identityName, client: "\(mapping.client)",
                expirationTime: Timestamp.text(group.expires), fqdn: "\(mapping.name)",
                ips: addresses.map(\.ip).sorted().map(\.description), lookupTime: group.lookedUp.map(Timestamp.text),
                source: group.origin == .connection ? .connection : .lookup, origin: group.origin.rawValue,
                ttl: group.ttl)
        }
    }
}
