import Testing

extension EndToEnd {
    /// Options of EDNS as clients see them: cookies and keepalive, beside extended errors.
    @Suite struct Options {
        /// A cookie of a client.
        private static let client = "0102030405060708"

        /// The cookie that `dig` printed, in hexadecimal; nil if there is none.
        private static func cookie(_ answer: DigAnswer) -> String? {
            answer.text.split(separator: "\n").first { $0.hasPrefix("; COOKIE: ") }
                .map { String($0.dropFirst(10).prefix { $0.isHexDigit }) }
        }

        /// A daemon with local records and a policy.
        private static func daemon() throws -> Daemon {
            var setup = Setup()
            setup.zone = Setup.localZone
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["api.local.example"])]
            return try Daemon(setup)
        }

        @Test func `a client that sends a cookie gets one of the interoperable form, which is good at its address`()
            throws
        {
            let daemon = try Options.daemon()
            let first = try daemon.dig("api.local.example +cookie=\(Options.client)")
            #expect(first.addresses == ["192.0.2.10"])
            let given = try #require(Options.cookie(first), "\(first.text)")
            // RFC 9018, section 4: version 1, three reserved bytes, four of time, eight of hash.
            #expect(given.count == 48 && given.hasPrefix("\(Options.client)01000000"), "\(given)")
            // Shown again it is good, and so it is not replaced; the answer comes from the cache now.
            let second = try daemon.dig("api.local.example +cookie=\(given)")
            #expect(Options.cookie(second) == given, "\(second.text)")
            // Over TCP it is the same.
            #expect(try Options.cookie(daemon.dig("api.local.example +tcp +cookie=\(given)")) == given)
            // At another address, or with another hash, it is worth nothing: the client gets its own.
            let forged = given.dropLast(2) + (given.hasSuffix("00") ? "01" : "00")
            let moved = try Options.cookie(daemon.dig("api.local.example +cookie=\(given)", source: "127.0.0.9"))
            let corrected = try Options.cookie(daemon.dig("api.local.example +cookie=\(forged)"))
            #expect(moved != nil && moved != given && corrected != nil && corrected != String(forged))
            // Who sends none gets none.
            #expect(try Options.cookie(daemon.dig("api.local.example +nocookie")) == nil)
        }

        @Test func `a denied query has cookie and extended error`() throws {
            let daemon = try Options.daemon()
            let denied = try daemon.dig("ledger.local.example +cookie=\(Options.client)")
            #expect(denied.status == "REFUSED" && denied.extendedError == 15, "\(denied.text)")
            #expect(Options.cookie(denied)?.count == 48, "\(denied.text)")
        }

        @Test(arguments: ["01", "01020304050607", "010203040506070809", String(repeating: "01", count: 41)])
        func `a cookie of a length that none can have is a format error`(_ bytes: String) throws {
            let daemon = try Options.daemon()
            let answer = try daemon.dig("api.local.example +nocookie +ednsopt=10:\(bytes)")
            #expect(answer.status == "FORMERR", "\(answer.text)")
        }

        @Test func `over TCP who asks is told how long a connection may be idle, over UDP nobody is`() throws {
            let daemon = try Options.daemon()
            let asked = try daemon.dig("api.local.example +tcp +keepalive")
            #expect(asked.text.contains("; TCP KEEPALIVE: 10.0 secs"), "\(asked.text)")
            for arguments in ["+tcp", "+notcp +ednsopt=11"] {
                let answer = try daemon.dig("api.local.example \(arguments)")
                #expect(answer.addresses == ["192.0.2.10"])
                #expect(!answer.text.contains("KEEPALIVE"), "\(answer.text)")
            }
        }

        @Test func `cookies and client subnets stay here: upstreams get an OPT record of our own`() throws {
            let nsd = try NSD(zone: "one IN A 192.0.2.1")
            let relay = try Relay(to: nsd.port)
            defer { relay.stop() }
            let daemon = try Daemon(Setup(upstream: relay.port))
            let answer = try daemon.dig("one.test.example +cookie=\(Options.client) +subnet=203.0.113.0/24")
            #expect(answer.addresses == ["192.0.2.1"])
            let query = try #require(relay.queries.first?.bytes)
            // An OPT record at the end: root, type 41, payload 1232, no flags, no data.
            #expect(query.suffix(11).elementsEqual([0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0]), "\(query)")
        }
    }
}
