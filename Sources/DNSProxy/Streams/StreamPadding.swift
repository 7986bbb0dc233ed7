import DNSWire

/// Padding of queries that are encrypted, so that their length does not tell the name (RFC 7830; RFC 8467,
/// section 4.1).
enum StreamPadding {
    /// Queries are a multiple of this long, in bytes.
    static let block = 128
    /// The option's code.
    private static let code: UInt8 = 12

    /// `query` with a padding option at the end of the OPT record that ends it; the same when it has none.
    static func padded(_ query: [UInt8]) -> [UInt8] {
        guard query.count >= Header.length + EDNS.emptyLength, query[11] == 1 else { return query }
        let length = (query.count + 4 + block - 1) / block * block
        let padding = length - query.count - 4
        var padded = query
        padded[query.count - 2] = UInt8(truncatingIfNeeded: (padding + 4) >> 8)
        padded[query.count - 1] = UInt8(truncatingIfNeeded: padding + 4)
        padded += [0, code, UInt8(truncatingIfNeeded: padding >> 8), UInt8(truncatingIfNeeded: padding)]
        padded += [UInt8](repeating: 0, count: padding)
        return padded
    }
}
