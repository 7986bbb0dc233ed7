/// The twelve bytes that every message starts with (RFC 1035, section 4.1.1).
public struct Header: Equatable, Sendable {
    /// Length of a header in bytes.
    public static let length = 12

    /// Chosen by who asks, returned by who answers.
    public var id: UInt16
    /// The sixteen bits behind the ID.
    public var flags: HeaderFlags
    /// Entries in the question section.
    public var questionCount: UInt16
    /// Records in the answer section.
    public var answerCount: UInt16
    /// Records in the authority section.
    public var authorityCount: UInt16
    /// Records in the additional section, the OPT record among them.
    public var additionalCount: UInt16

    /// A header of a message with one question and nothing else.
    public init(
        id: UInt16, flags: HeaderFlags, questionCount: UInt16 = 1, answerCount: UInt16 = 0, authorityCount: UInt16 = 0,
        additionalCount: UInt16 = 0
    ) {
        self.id = id
        self.flags = flags
        self.questionCount = questionCount
        self.answerCount = answerCount
        self.authorityCount = authorityCount
        self.additionalCount = additionalCount
    }

    /// Reads the header of `message`; nil when that is shorter than twelve bytes.
    public init?(_ message: Span<UInt8>) {
        guard message.count >= Header.length else { return nil }
        // Two loads for all of it.
        let first = message.word(at: 0).byteSwapped
        let second = message.word(at: 4).byteSwapped
        id = UInt16(truncatingIfNeeded: first >> 48)
        flags = HeaderFlags(rawValue: UInt16(truncatingIfNeeded: first >> 32))
        questionCount = UInt16(truncatingIfNeeded: first >> 16)
        answerCount = UInt16(truncatingIfNeeded: first)
        authorityCount = UInt16(truncatingIfNeeded: second >> 16)
        additionalCount = UInt16(truncatingIfNeeded: second)
    }

    /// Writes the header over the first twelve bytes of `message`, which must be that long.
    public func write(to message: inout MutableSpan<UInt8>) {
        func put(_ value: UInt16, at offset: Int) {
            message[offset] = UInt8(truncatingIfNeeded: value >> 8)
            message[offset + 1] = UInt8(truncatingIfNeeded: value)
        }
        put(id, at: 0)
        put(flags.rawValue, at: 2)
        put(questionCount, at: 4)
        put(answerCount, at: 6)
        put(authorityCount, at: 8)
        put(additionalCount, at: 10)
    }
}

/// The second word of the header: one-bit flags, opcode and response code.
public struct HeaderFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// QR: this is a response.
    public static let response = HeaderFlags(rawValue: 0x8000)
    /// AA: the answer comes from who is responsible for the name.
    public static let authoritative = HeaderFlags(rawValue: 0x0400)
    /// TC: the answer did not fit.
    public static let truncated = HeaderFlags(rawValue: 0x0200)
    /// RD: please resolve it fully.
    public static let recursionDesired = HeaderFlags(rawValue: 0x0100)
    /// RA: full resolution is offered.
    public static let recursionAvailable = HeaderFlags(rawValue: 0x0080)
    /// AD: the data is authentic (RFC 4035, section 3.2.3; in queries RFC 6840, section 5.7).
    public static let authenticData = HeaderFlags(rawValue: 0x0020)
    /// CD: do not check (RFC 4035, section 3.2.2).
    public static let checkingDisabled = HeaderFlags(rawValue: 0x0010)

    /// What kind of query this is.
    @inlinable public var opcode: Opcode { Opcode(rawValue: UInt8(truncatingIfNeeded: rawValue >> 11 & 0xF)) }

    /// The lower four bits of the response code.
    public var responseCode: ResponseCode {
        get { ResponseCode(rawValue: rawValue & 0xF) }
        set { rawValue = rawValue & ~0xF | newValue.rawValue & 0xF }
    }
}

/// What kind of query a message is (RFC 1035, section 4.1.1).
public struct Opcode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A standard query.
    public static let query = Opcode(rawValue: 0)
    /// A zone has changed (RFC 1996).
    public static let notify = Opcode(rawValue: 4)
    /// A dynamic update (RFC 2136).
    public static let update = Opcode(rawValue: 5)
}
