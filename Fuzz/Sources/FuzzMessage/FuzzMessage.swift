import Fuzzing

@testable import DNSWire

/// Any bytes as a query, and as a whole message that is read, written anew and read again.
@main
struct FuzzMessage {
    /// Runs the target.
    static func main() {
        Fuzzer.run { input in
            decode(input)
            rewrite(input)
        }
    }

    /// What is accepted as a query is one, and its parts are inside of it.
    private static func decode(_ message: Span<UInt8>) {
        var query = QueryMessage()
        var name = NameBuffer()
        let disposition = query.decode(message, name: &name)
        if let edns = query.edns {
            var cursor = EDNSOptionCursor(edns)
            while let option = cursor.next(message) {
                require(option.dataOffset + option.dataLength <= message.count, "an option is inside of its message")
            }
            require(!cursor.isMalformed, "a malformed option makes a malformed query")
            if let cookie = edns.cookie { answer(cookie) }
            require(edns.payloadSize >= EDNS.minimumPayloadSize, "no payload is smaller than that of plain DNS")
        }
        switch disposition {
        case .ignore:
            require(Header(message)?.flags.contains(.response) ?? true, "only what is no query is ignored")
        case .respond(_, let echoesQuestion):
            require(!echoesQuestion || query.question.end > Header.length, "what is echoed has been read")
        case .accept:
            require(name.count > 0 && query.question.recordClass == .in, "a query asks for a name in class IN")
            require(Sections(message) != nil || query.header.additionalCount > 0, "an accepted query is a message")
        }
        require(query.question.end <= message.count, "the question is inside of its message")
    }

    /// Secrets of known value, so that a crash repeats.
    private static let cookies: ServerCookies? = {
        let bytes: [UInt8] = Array(1...16)
        return CookieSecret(bytes.span).map { ServerCookies(current: $0) }
    }()

    /// Whatever a client sent, the cookie that it is given is good.
    private static func answer(_ cookie: ClientCookie) {
        guard let cookies, let address = IPAddress("192.0.2.1") else { return }
        let response = cookies.respond(to: cookie, from: address, at: 1_700_000_000)
        require((cookie.serverLength == 0) == (response.standing == .absent), "only what is absent is absent")
        var output = [UInt8](repeating: 0xEE, count: CookieResponse.optionLength)
        var span = output.mutableSpan
        require(response.write(to: &span, at: 0) == output.count, "the option has the length that it has")
        let option = EDNSOption(code: EDNSOption.cookie, dataOffset: 4, dataLength: output.count - 4)
        guard let given = ClientCookie(option, in: output.span) else { fatalError("broken promise: it is a cookie") }
        require(given.client == cookie.client, "the client's part comes back")
        require(
            cookies.respond(to: given, from: address, at: 1_700_000_001).standing == .good, "what was given is good")
    }

    /// A message that was read, written anew, means the same.
    private static func rewrite(_ message: Span<UInt8>) {
        guard let header = Header(message), let sections = Sections(message) else { return }
        require(sections.end <= message.count, "records are inside of their message")
        var output = [UInt8](repeating: 0xEE, count: 65_535)
        var span = output.mutableSpan
        var builder = MessageBuilder(limit: span.count)
        header.write(to: &span)
        for entry in sections.entries[..<sections.questionCount] {
            builder.putQuestion(
                NameBuffer(entry.owner), type: entry.type, recordClass: entry.recordClass, to: &span)
        }
        for (entry, view) in zip(sections.entries[sections.questionCount...], sections.views) {
            let open = builder.beginRecord(
                entry.owner, type: entry.type, recordClass: entry.recordClass, ttl: entry.ttl, to: &span)
            RecordData.copy(
                view.type, message, view.dataOffset..<view.end, builder: &builder, to: &span)
            builder.endRecord(open, to: &span)
        }
        guard !builder.overflowed else { return }
        let count = builder.count
        require(Sections(output.span.extracting(0..<count)) == sections, "written anew, a message means the same")
    }
}
