import DNSWire
import Testing

/// A query with a COOKIE option of these bytes, decoded; nil when it is a format error.
private func cookie(_ bytes: [UInt8]) -> ClientCookie? {
    var message = WireMessage(flags: 0x0100, question: "example.")
    message.add(.additional, [0], .opt, recordClass: 1232, ttl: 0, [0, 10] + big(UInt16(bytes.count)) + bytes)
    var query = QueryMessage()
    var name = NameBuffer()
    guard query.decode(message.bytes.span, name: &name) == .accept else { return nil }
    return query.edns?.cookie
}

/// Cookies with these secrets.
private func cookies(_ current: String, previous: String? = nil) throws -> ServerCookies {
    let now = cookieSecret(hex(current))
    return ServerCookies(current: try #require(now), previous: previous.flatMap { cookieSecret(hex($0)) })
}

/// The secret in `bytes`; nil when they are none.
private func cookieSecret(_ bytes: [UInt8]) -> CookieSecret? {
    CookieSecret(bytes.span)
}

/// The cookies in a response, client's and server's, and what the query's was worth.
private func respond(
    _ cookies: ServerCookies, _ sent: [UInt8], from address: String, at seconds: UInt32
) throws -> (standing: CookieStanding, bytes: [UInt8]) {
    let response = cookies.respond(
        to: try #require(cookie(sent)), from: try #require(IPAddress(address)), at: seconds)
    var output = [UInt8](repeating: 0xEE, count: CookieResponse.optionLength + 4)
    var span = output.mutableSpan
    let end = response.write(to: &span, at: 2)
    #expect(end == CookieResponse.optionLength + 2)
    #expect(Array(output[..<6]) == [0xEE, 0xEE, 0, 10, 0, 24])
    #expect(Array(output[end...]) == [0xEE, 0xEE])
    return (response.standing, Array(output[6..<end]))
}

@Suite struct CookieTests {
    /// The secret of the first three examples of RFC 9018, appendix A.
    static let secret = "e5e973e5a6b2a43f48e7dc849e37bfcf"

    @Test(
        arguments: [
            // A.1: learning a server cookie.
            (
                "2464c4abcf10c957", "198.51.100.100", UInt32(1_559_731_985), secret, nil, CookieStanding.absent,
                "2464c4abcf10c957010000005cf79f111f8130c3eee29480"
            ),
            // A.2: the same, half an hour and more later.
            (
                "2464c4abcf10c957010000005cf79f111f8130c3eee29480", "198.51.100.100", 1_559_734_385, secret, nil, .old,
                "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"
            ),
            // A.3: another client. Its cookie is nearly two hours old, more than section 4.3 of the same document allows.
            (
                "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", "203.0.113.203", 1_559_734_700, secret, nil, .bad,
                "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"
            ),
            // A.4: IPv6, and a secret that has been replaced.
            (
                "22681ab97d52c298010000005cf7c57926556bd0934c72f8", "2001:db8:220:1:59de:d0f4:8769:82b8", 1_559_741_961,
                "445536bcd2513298075a5d379663c962", "dd3bdf9344b678b185a6f5cb60fca715", .old,
                "22681ab97d52c298010000005cf7c609a6bb79d16625507a"
            ),
        ] as [(String, String, UInt32, String, String?, CookieStanding, String)])
    func `the examples of RFC 9018, appendix A`(
        _ sent: String, _ address: String, _ seconds: UInt32, _ current: String, _ previous: String?,
        _ standing: CookieStanding, _ expected: String
    ) throws {
        let cookies = try cookies(current, previous: previous)
        let response = try respond(cookies, hex(sent), from: address, at: seconds)
        #expect(response.standing == standing)
        #expect(response.bytes == hex(expected))
        // What was sent back is good, and comes back as it is.
        let next = try respond(cookies, response.bytes, from: address, at: seconds + 1)
        #expect(next.standing == .good)
        #expect(next.bytes == response.bytes)
    }

    @Test func `the reserved bytes of another server's cookie count as they are, and are not repeated`() throws {
        let cookies = try cookies(CookieTests.secret)
        let sent = hex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5")
        #expect(try respond(cookies, sent, from: "203.0.113.203", at: 1_559_727_985).standing == .good)
        let renewed = try respond(cookies, sent, from: "203.0.113.203", at: 1_559_727_985 + 1801)
        #expect(renewed.standing == .old)
        #expect(Array(renewed.bytes[8..<12]) == [1, 0, 0, 0])
    }

    @Test(arguments: [
        (-301, CookieStanding.bad), (-300, .good), (0, .good), (1800, .good), (1801, .old), (3600, .old), (3601, .bad),
    ])
    func `a cookie is taken for an hour and from five minutes ahead, and renewed after half an hour`(
        _ age: Int, _ standing: CookieStanding
    ) throws {
        // The second time the clock passes 2^32 on the way.
        for made: UInt32 in [1_700_000_000, .max - 100] {
            let cookies = try cookies(CookieTests.secret)
            let first = try respond(cookies, Array(1...8), from: "192.0.2.1", at: made)
            let now = UInt32(truncatingIfNeeded: Int(made) + age)
            let second = try respond(cookies, first.bytes, from: "192.0.2.1", at: now)
            #expect(second.standing == standing)
            #expect((second.bytes == first.bytes) == (standing == .good))
            #expect(second.standing.isValid == (standing != .bad))
            #expect(try respond(cookies, second.bytes, from: "192.0.2.1", at: now).standing.isValid)
        }
    }

    @Test func `a cookie is good for one client at one address only`() throws {
        let cookies = try cookies(CookieTests.secret)
        let made = try respond(cookies, Array(1...8), from: "192.0.2.1", at: 1000).bytes
        #expect(try respond(cookies, made, from: "192.0.2.2", at: 1000).standing == .bad)
        #expect(try respond(cookies, made, from: "2001:db8::1", at: 1000).standing == .bad)
        for index in made.indices {
            var other = made
            other[index] ^= 1
            #expect(try respond(cookies, other, from: "192.0.2.1", at: 1000).standing == .bad, "byte \(index)")
        }
        #expect(try respond(cookies, made, from: "::ffff:192.0.2.1", at: 1000).standing == .good)
    }

    @Test func `a server cookie that is not of the interoperable form is no good`() throws {
        let cookies = try cookies(CookieTests.secret)
        for length in 8...32 {
            let sent = Array(1...8) + [UInt8](repeating: 1, count: length)
            #expect(try respond(cookies, sent, from: "192.0.2.1", at: 1000).standing == .bad, "\(length) bytes")
        }
    }

    @Test func `after a rotation old cookies are exchanged, after two they are no good`() throws {
        var cookies = try cookies(CookieTests.secret)
        let made = try respond(cookies, Array(1...8), from: "192.0.2.1", at: 1000).bytes
        cookies.rotate(to: .random())
        let exchanged = try respond(cookies, made, from: "192.0.2.1", at: 1001)
        #expect(exchanged.standing == .old)
        #expect(exchanged.bytes != made)
        #expect(try respond(cookies, exchanged.bytes, from: "192.0.2.1", at: 1002).standing == .good)
        cookies.rotate(to: .random())
        #expect(try respond(cookies, made, from: "192.0.2.1", at: 1003).standing == .bad)
        #expect(try respond(cookies, exchanged.bytes, from: "192.0.2.1", at: 1003).standing == .old)
    }

    @Test func `the option has 8, or 16 to 40 bytes; anything else is a format error`() {
        for length in 0...48 {
            let isCookie = length == 8 || (16...40).contains(length)
            let found = cookie([UInt8](repeating: 7, count: length))
            #expect((found != nil) == isCookie, "\(length) bytes")
            #expect(found?.serverLength == (isCookie ? length - 8 : nil))
            #expect(found?.client == (isCookie ? 0x0707_0707_0707_0707 : nil))
        }
    }

    @Test func `a secret has sixteen bytes`() {
        for length in 0...20 {
            #expect((cookieSecret([UInt8](repeating: 1, count: length)) != nil) == (length == 16))
        }
        #expect(CookieSecret.random() != CookieSecret.random())
    }
}
