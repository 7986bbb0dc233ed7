/// The SvcParams of SVCB and HTTPS records (RFC 9460, section 2.2), of which only the address hints matter here.
enum ServiceParameters {
    /// Key of IPv4 address hints (RFC 9460, section 14.3.2).
    static let ipv4Hint: UInt16 = 4
    /// Key of IPv6 address hints (RFC 9460, section 14.3.2).
    static let ipv6Hint: UInt16 = 6

    /// Whether `range` is a sequence of parameters with strictly ascending keys and whole address hints.
    ///
    /// A client has to reject anything else (RFC 9460, section 2.2); one that does not could see an address in it
    /// that was never learned, so such a record reaches nobody.
    static func areWellFormed(_ message: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var offset = range.lowerBound
        var previous = -1
        while offset < range.upperBound {
            guard range.upperBound - offset >= 4 else { return false }
            let key = message.uint16(at: offset)
            let length = Int(message.uint16(at: offset + 2))
            guard Int(key) > previous, length <= range.upperBound - offset - 4 else { return false }
            if key == ipv4Hint, length == 0 || length % 4 != 0 { return false }
            if key == ipv6Hint, length == 0 || length % 16 != 0 { return false }
            previous = Int(key)
            offset += 4 + length
        }
        return true
    }

    /// Hands every address hint in the well-formed data at `range` to `body`.
    ///
    /// A record in alias mode (priority 0) has none: its parameters are to be ignored (RFC 9460, section 2.4.2).
    static func forEachHint(_ message: Span<UInt8>, _ range: Range<Int>, _ body: (IPAddress) -> Void) {
        guard message.uint16(at: range.lowerBound) != 0 else { return }
        var offset = range.lowerBound + 2
        while message[offset] != 0 { offset += 1 + Int(message[offset]) }
        offset += 1
        while offset < range.upperBound {
            let key = message.uint16(at: offset)
            let end = offset + 4 + Int(message.uint16(at: offset + 2))
            let size = key == ipv4Hint ? 4 : key == ipv6Hint ? 16 : 0
            offset += 4
            while size > 0, offset < end {
                if let address = IPAddress(message, at: offset, count: size) { body(address) }
                offset += size
            }
            offset = end
        }
    }
}
