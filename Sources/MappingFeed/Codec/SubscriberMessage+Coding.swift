internal import DNSWire

extension SubscriberMessage {
    /// Bytes of a line that the daemon takes from a subscriber.
    public static let maxLineLength = 64 << 10

    /// Appends the message as one line, newline included.
    public func encode(into bytes: inout [UInt8]) {
        var writer = LineWriter()
        writer.line(self)
        bytes.append(contentsOf: writer.bytes)
    }

    /// The message as one line, newline included.
    public var line: [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }

    /// Reads one line, with or without its newline; fields may come in any order, unknown ones are ignored.
    /// - Throws: `FeedSyntaxError` for anything that is not a message of this version.
    public static func decode(_ line: Span<UInt8>) throws(FeedSyntaxError) -> SubscriberMessage {
        guard line.count <= maxLineLength else { throw FeedSyntaxError(.lineTooLong, at: maxLineLength) }
        var reader = LineReader()
        let kind = try reader.beginEvent(line)
        var fields = MessageFields()
        while let key = try reader.nextKey(line) { try fields.read(key, &reader, line) }
        try reader.end(line)
        return try fields.message(kind, reader.offset)
    }
}

extension LineWriter {
    /// Writes a message and a newline.
    mutating func line(_ message: SubscriberMessage) {
        switch message {
        case .subscribe(let subscription):
            raw(#"{"event":"subscribe","acknowledge":"#)
            if subscription.acknowledges { raw("true") } else { raw("false") }
            if let resume = subscription.resume {
                raw(#","resume":{"instance":"#)
                string(resume.instance)
                raw(#","seq":"#)
                number(resume.sequence)
                raw(UInt8(ascii: "}"))
            }
            if let identities = subscription.identities {
                raw(#","identities":["#)
                for index in identities.indices {
                    if index > 0 { raw(UInt8(ascii: ",")) }
                    selector(identities[index])
                }
                raw(UInt8(ascii: "]"))
            }
        case .ack(let sequence):
            raw(#"{"event":"ack","seq":"#)
            number(sequence)
        case .nack(let rejection):
            raw(#"{"event":"nack","seq":"#)
            number(rejection.sequence)
            raw(#","error":"#)
            string(rejection.error)
        case .inUse(let use):
            raw(#"{"event":"in-use","identity":"#)
            number(use.identity)
            raw(#","addresses":"#)
            addresses(use.addresses)
        case .pong: raw(#"{"event":"pong""#)
        }
        raw("}\n")
    }

    /// Writes a selector of identities.
    private mutating func selector(_ selector: IdentitySelector) {
        raw("{")
        if let namespace = selector.namespace {
            raw(#""namespace":"#)
            string(namespace)
            raw(",")
        }
        raw(#""labels":"#)
        strings(selector.labels)
        raw("}")
    }
}

/// The fields of a message while its line is read; those that were absent are nil.
private struct MessageFields {
    /// `acknowledge`.
    private var acknowledges = false
    /// `resume`.
    private var resume: FeedPosition?
    /// `identities`.
    private var identities: [IdentitySelector]?
    /// `seq`.
    private var sequence: UInt64?
    /// `error`.
    private var error = ""
    /// `identity`.
    private var identity: UInt64?
    /// `addresses`.
    private var addresses: [IPAddress]?

    /// No field yet.
    init() {}

    /// Reads the value of the field `key`.
    mutating func read(_ key: FieldKey, _ reader: inout LineReader, _ line: Span<UInt8>) throws(FeedSyntaxError) {
        switch key {
        case .acknowledge: acknowledges = try reader.boolean(line)
        case .resume: resume = try reader.takeNull(line) ? nil : try MessageFields.position(&reader, line)
        case .identities:
            if try reader.takeNull(line) { break }
            identities = try reader.array(line) { (reader) throws(FeedSyntaxError) in
                try MessageFields.selector(&reader, line)
            }
        case .seq: sequence = try reader.unsigned(line)
        case .error: error = try reader.string(line)
        case .identity: identity = try reader.unsigned(line)
        case .addresses:
            addresses = try reader.array(line) { (reader) throws(FeedSyntaxError) in
                try reader.address("addresses", line)
            }
        default: try reader.skip(line)
        }
    }

    /// Reads a place in the feed.
    private static func position(
        _ reader: inout LineReader, _ line: Span<UInt8>
    ) throws(FeedSyntaxError) -> FeedPosition {
        var instance: String?
        var sequence: UInt64?
        try reader.beginObject(line)
        while let key = try reader.nextKey(line) {
            switch key {
            case .instance: instance = try reader.string(line)
            case .seq: sequence = try reader.unsigned(line)
            default: try reader.skip(line)
            }
        }
        return FeedPosition(
            instance: try EventFields.require(instance, "instance", reader.offset),
            sequence: try EventFields.require(sequence, "seq", reader.offset))
    }

    /// Reads a selector of identities.
    private static func selector(
        _ reader: inout LineReader, _ line: Span<UInt8>
    ) throws(FeedSyntaxError) -> IdentitySelector {
        var selector = IdentitySelector()
        try reader.beginObject(line)
        while let key = try reader.nextKey(line) {
            switch key {
            case .namespace: selector.namespace = try reader.string(line)
            case .labels: selector.labels = try reader.strings(line)
            default: try reader.skip(line)
            }
        }
        return selector
    }

    /// The message of `kind` that the fields make; an absent one is reported at `offset`.
    func message(_ kind: String, _ offset: Int) throws(FeedSyntaxError) -> SubscriberMessage {
        switch kind {
        case "subscribe":
            .subscribe(Subscription(acknowledges: acknowledges, resume: resume, identities: identities))
        case "ack": .ack(try EventFields.require(sequence, "seq", offset))
        case "nack":
            .nack(FeedRejection(sequence: try EventFields.require(sequence, "seq", offset), error: error))
        case "in-use":
            .inUse(
                AddressesInUse(
                    identity: try EventFields.require(identity, "identity", offset),
                    addresses: try EventFields.require(addresses, "addresses", offset)))
        case "pong": .pong
        default: throw FeedSyntaxError(.unknownMessage, at: offset)
        }
    }
}
