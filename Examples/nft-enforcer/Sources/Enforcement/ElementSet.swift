/// A set of the table: what one identity may reach, of one family, in one of four shapes.
package struct ElementSet: Hashable, Sendable {
    /// The identity.
    package var identity: UInt64
    /// Whether the addresses are IPv4 addresses.
    package var isIPv4: Bool
    /// What the elements are.
    package var shape: Shape

    /// What the elements of a set are. The raw value ends the set's name.
    package enum Shape: String, Hashable, Sendable, CaseIterable {
        /// An address, all of whose ports and protocols are open.
        case hosts
        /// An address and a transport, all of whose ports are open.
        case protocols
        /// An address, a transport and a port.
        case ports
        /// An address, a transport and a range of ports. The kernel copies the whole of such a set for a change, so
        /// single ports are kept out of it.
        case ranges
    }

    /// The name of the set in the table.
    package var name: String { "identity_\(identity)_\(isIPv4 ? "v4" : "v6")_\(shape.rawValue)" }

    /// What a set of the shape is declared as.
    package var declaration: String {
        let address = isIPv4 ? "ipv4_addr" : "ipv6_addr"
        return switch shape {
        case .hosts: "type \(address); flags timeout;"
        case .protocols: "type \(address) . inet_proto; flags timeout;"
        case .ports: "type \(address) . inet_proto . inet_service; flags timeout;"
        case .ranges: "type \(address) . inet_proto . inet_service; flags interval,timeout;"
        }
    }

    /// What of a packet is looked up in the set.
    package var key: String {
        let address = isIPv4 ? "ip daddr" : "ip6 daddr"
        return switch shape {
        case .hosts: address
        case .protocols: "\(address) . meta l4proto"
        case .ports, .ranges: "\(address) . meta l4proto . th dport"
        }
    }
}
