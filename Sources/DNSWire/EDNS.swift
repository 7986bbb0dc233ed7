/// What an OPT record says (RFC 6891, section 6.1), with the place of its options.
public struct EDNS: Equatable, Sendable {
    /// Largest UDP payload the sender takes, in bytes, never below 512 (RFC 6891, section 6.2.3).
    public var payloadSize: Int
    /// The version of EDNS; ours is 0.
    public var version: UInt8
    /// Upper eight bits of the response code.
    public var extendedResponseCode: UInt8
    /// DO: send DNSSEC records (RFC 3225).
    public var dnssecOK: Bool
    /// Offset of the first option in the message.
    public var optionsOffset: Int
    /// Length of all options in bytes.
    public var optionsLength: Int
    /// The first COOKIE option (RFC 7873); nil when there is none.
    public var cookie: ClientCookie?
    /// Whether there is a keepalive option without data, which is how a client asks for the connection's timeout
    /// (RFC 7828, section 3.2.1); means nothing over UDP. With data it is none that a client may send, and ignored.
    public var asksForKeepalive: Bool

    /// The payload size we offer and never exceed, what fits an IPv6 packet on any path (DNS flag day 2020).
    public static let ownPayloadSize = 1232
    /// The UDP payload of a sender without EDNS (RFC 1035, section 2.3.4).
    public static let minimumPayloadSize = 512
    /// Length of an OPT record without options: root owner, type, class, TTL, length.
    public static let emptyLength = 11

    /// Reads the OPT record `record` of `message`; nil when an option runs past the end of the data, or a cookie has a
    /// length that none can have (RFC 7873, section 5.2.2). Options that are not known, padding among them, say nothing.
    public init?(_ record: RecordView, in message: Span<UInt8>) {
        payloadSize = max(Int(record.recordClass.rawValue), EDNS.minimumPayloadSize)
        extendedResponseCode = UInt8(truncatingIfNeeded: record.rawTTL >> 24)
        version = UInt8(truncatingIfNeeded: record.rawTTL >> 16)
        dnssecOK = record.rawTTL & 0x8000 != 0
        optionsOffset = record.dataOffset
        optionsLength = record.dataLength
        cookie = nil
        asksForKeepalive = false
        var options = EDNSOptionCursor(self)
        while let option = options.next(message) {
            switch option.code {
            case EDNSOption.cookie:
                guard let found = ClientCookie(option, in: message) else { return nil }
                if cookie == nil { cookie = found }
            case EDNSOption.keepalive: asksForKeepalive = asksForKeepalive || option.dataLength == 0
            default: break
            }
        }
        if options.isMalformed { return nil }
    }
}

extension EDNS {
    /// An OPT record without options that offers our own payload size.
    public init(dnssecOK: Bool) {
        payloadSize = EDNS.ownPayloadSize
        version = 0
        extendedResponseCode = 0
        self.dnssecOK = dnssecOK
        optionsOffset = 0
        optionsLength = 0
        cookie = nil
        asksForKeepalive = false
    }
}

/// One option of an OPT record (RFC 6891, section 6.1.2).
public struct EDNSOption: Equatable, Sendable {
    /// The option's code in the IANA registry.
    public var code: UInt16
    /// Offset of its data in the message.
    public var dataOffset: Int
    /// Length of its data in bytes.
    public var dataLength: Int

    /// Code of EDNS client subnet (RFC 7871).
    public static let clientSubnet: UInt16 = 8
    /// Code of DNS cookies (RFC 7873).
    public static let cookie: UInt16 = 10
    /// Code of TCP keepalive (RFC 7828).
    public static let keepalive: UInt16 = 11
    /// Code of padding (RFC 7830).
    public static let padding: UInt16 = 12
    /// Code of extended DNS errors (RFC 8914).
    public static let extendedError: UInt16 = 15
}

/// Writing of options into a response.
extension EDNSOption {
    /// Length of a keepalive option in a response, in bytes: code, length, timeout.
    public static let keepaliveLength = 6

    /// Writes a keepalive option at `offset` of `output`, which has room for it, and returns the offset behind it.
    ///
    /// - Parameter timeout: How long an idle connection stays open, in units of 100 milliseconds
    ///   (RFC 7828, section 3.1); 0 asks the client to close it.
    public static func writeKeepalive(timeout: UInt16, to output: inout MutableSpan<UInt8>, at offset: Int) -> Int {
        output.put16(keepalive, at: offset)
        output.put16(2, at: offset + 2)
        output.put16(timeout, at: offset + 4)
        return offset + keepaliveLength
    }
}

/// Walks the options of an OPT record from front to back.
public struct EDNSOptionCursor: Sendable {
    /// Where the next option starts.
    private var offset: Int
    /// First byte behind the options.
    private let end: Int
    /// Whether an option ran past the end.
    public private(set) var isMalformed = false

    /// A cursor at the first option of `edns`.
    public init(_ edns: EDNS) {
        offset = edns.optionsOffset
        end = edns.optionsOffset + edns.optionsLength
    }

    /// The next option, or nil at the end and after a malformed one.
    public mutating func next(_ message: Span<UInt8>) -> EDNSOption? {
        guard offset < end, !isMalformed else { return nil }
        guard end - offset >= 4, end <= message.count else {
            isMalformed = true
            return nil
        }
        let length = Int(message.uint16(at: offset + 2))
        guard length <= end - offset - 4 else {
            isMalformed = true
            return nil
        }
        defer { offset += 4 + length }
        return EDNSOption(code: message.uint16(at: offset), dataOffset: offset + 4, dataLength: length)
    }
}
