internal import CConntrack
internal import DNSWire
internal import Glibc

/// The connection tracking of this network namespace, through libnetfilter_conntrack.
package enum ConnectionTracking {
    /// The live connections, each pair of addresses once, and whether there were more than `limit` pairs.
    ///
    /// A TCP connection is live while it is established or half closed; one of another protocol while the kernel counts it
    /// as assured, which is once packets went both ways for a while.
    /// - Throws: `ConnectionTrackingError` when the kernel does not list connections.
    package static func live(limit: Int) throws(ConnectionTrackingError) -> (connections: Set<Connection>, isCut: Bool)
    {
        guard let handle = unsafe nfct_open(UInt8(CONNTRACK), 0) else { throw ConnectionTrackingError(code: errno) }
        defer { unsafe nfct_close(handle) }
        var found = Found(limit: limit)
        for family in [UInt32(AF_INET), UInt32(AF_INET6)] {
            let result = unsafe withUnsafeMutablePointer(to: &found) { found in
                var family = family
                unsafe nfct_callback_register(handle, NFCT_T_ALL, note, found)
                defer { unsafe nfct_callback_unregister(handle) }
                return unsafe nfct_query(handle, NFCT_Q_DUMP, &family)
            }
            guard result >= 0 else { throw ConnectionTrackingError(code: errno) }
        }
        return (found.connections, found.isCut)
    }

    /// What a listing has found so far.
    private struct Found {
        /// The connections.
        var connections: Set<Connection> = []
        /// How many are kept.
        let limit: Int
        /// Whether there were more.
        var isCut = false
    }

    /// Takes one entry of a listing.
    private static let note: @convention(c) (nf_conntrack_msg_type, OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 =
        {
            _, entry, context in
            guard let entry = unsafe entry, unsafe isLive(entry) else { return Int32(NFCT_CB_CONTINUE) }
            guard let found = unsafe context?.assumingMemoryBound(to: Found.self) else { return Int32(NFCT_CB_STOP) }
            guard let connection = unsafe connection(entry) else { return Int32(NFCT_CB_CONTINUE) }
            if unsafe found.pointee.connections.count < found.pointee.limit {
                unsafe found.pointee.connections.insert(connection)
            } else if unsafe !found.pointee.connections.contains(connection) {
                unsafe found.pointee.isCut = true
            }
            return Int32(NFCT_CB_CONTINUE)
        }

    /// Whether an entry is one of a live connection.
    private static func isLive(_ entry: OpaquePointer) -> Bool {
        guard unsafe nfct_get_attr_u32(entry, ATTR_STATUS) & UInt32(IPS_ASSURED.rawValue) != 0 else { return false }
        guard unsafe nfct_get_attr_u8(entry, ATTR_L4PROTO) == UInt8(IPPROTO_TCP) else { return true }
        let state = unsafe UInt32(nfct_get_attr_u8(entry, ATTR_TCP_STATE))
        return [TCP_CONNTRACK_ESTABLISHED, TCP_CONNTRACK_FIN_WAIT, TCP_CONNTRACK_CLOSE_WAIT]
            .contains { $0.rawValue == state }
    }

    /// The addresses of an entry; nil for another family.
    private static func connection(_ entry: OpaquePointer) -> Connection? {
        guard let source = unsafe address(entry, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC),
            let destination = unsafe address(entry, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST),
            let responder = unsafe address(entry, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC)
        else { return nil }
        return Connection(source: source, destination: destination, responder: responder)
    }

    /// One address of an entry, of whichever family it has.
    private static func address(
        _ entry: OpaquePointer, _ four: nf_conntrack_attr, _ six: nf_conntrack_attr
    ) -> IPAddress? {
        if unsafe nfct_attr_is_set(entry, four) > 0 {
            return IPAddress(ipv4: UInt32(bigEndian: unsafe nfct_get_attr_u32(entry, four)))
        }
        guard unsafe nfct_attr_is_set(entry, six) > 0, let bytes = unsafe nfct_get_attr(entry, six) else { return nil }
        return unsafe IPAddress(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}
