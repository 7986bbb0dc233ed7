import Foundation
import MappingFeed
import Testing

extension EndToEnd {
    /// Zone files, answered without any upstream.
    @Suite struct LocalRecords {
        /// What the zone file says.
        private static let zone = """
            $ORIGIN local.example.
            $TTL 300
            @ IN SOA ns hostmaster 1 3600 600 86400 60
            @ IN NS ns
            @ IN MX 10 mail
            @ IN CAA 0 issue "ca.example"
            ns IN A 192.0.2.3
            ns IN AAAA 2001:db8::3
            db 30 IN A 192.0.2.20
            www IN CNAME step
            step IN CNAME db
            _sip._tcp IN SRV 1 2 5060 db
            *.apps IN A 192.0.2.30
            *.apps IN TXT "any app"
            fixed.apps IN A 192.0.2.31
            naptr IN NAPTR 1 2 "u" "E2U+sip" "!^.*$!sip:x@local.example!" .
            key IN SSHFP 4 2 \(String(repeating: "AB", count: 32))
            cert IN TLSA 3 1 1 \(String(repeating: "CD", count: 32))
            svc IN SVCB 1 db alpn=h2 port=8443
            odd IN TYPE65280 \\# 4 DEADBEEF
            sub IN NS ns.sub
            ns.sub IN A 192.0.2.99

            """

        /// A daemon with that zone whose upstream counts what it is asked and never answers.
        private static func daemon(_ silent: Relay, policy: String? = nil) throws -> Daemon {
            var setup = Setup(upstream: silent.port)
            setup.zone = zone
            if let policy { setup.policies = ["web.yaml": policy] }
            return try Daemon(setup)
        }

        @Test func `every type that a zone file can have is answered with AA, by cache or not, and nobody is asked`()
            throws
        {
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            let daemon = try LocalRecords.daemon(silent)
            let expected = [
                ("local.example SOA", "ns.local.example. hostmaster.local.example. 1 3600 600 86400 60"),
                ("local.example NS", "ns.local.example."), ("local.example MX", "10 mail.local.example."),
                ("local.example CAA", #"0 issue "ca.example""#), ("ns.local.example AAAA", "2001:db8::3"),
                ("_sip._tcp.local.example SRV", "1 2 5060 db.local.example."),
                ("naptr.local.example NAPTR", #"1 2 "u" "E2U+sip" "!^.*$!sip:x@local.example!" ."#),
                ("key.local.example SSHFP", "4 2 " + String(repeating: "AB", count: 32)),
                ("cert.local.example TLSA", "3 1 1 " + String(repeating: "CD", count: 32)),
                ("svc.local.example SVCB", #"1 db.local.example. alpn="h2" port=8443"#),
                ("odd.local.example TYPE65280", "\\# 4 DEADBEEF"),
            ]
            for (question, data) in expected {
                for _ in 1...2 {
                    let answer = try daemon.dig(question)
                    // dig puts spaces into long runs of hexadecimal digits.
                    let text = answer.records.map { $0.data.replacing("AB ", with: "AB").replacing("CD ", with: "CD") }
                    #expect(text == [data] && answer.flags.contains("aa"), "\(answer.text)")
                }
            }
            #expect(silent.count == 0)
        }

        @Test func `wildcards stand in for names that do not exist, and aliases are followed inside the zone`() throws {
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            let daemon = try LocalRecords.daemon(silent)
            for name in ["a.apps", "b.c.apps", "Mixed.apps"] {
                let answer = try daemon.dig("\(name).local.example")
                #expect(answer.addresses == ["192.0.2.30"] && answer.flags.contains("aa"), "\(answer.text)")
                #expect(answer.records.map(\.name) == ["\(name).local.example."])
                #expect(try daemon.dig("\(name).local.example TXT").data("TXT") == [#""any app""#])
            }
            #expect(try daemon.dig("fixed.apps.local.example").addresses == ["192.0.2.31"])
            // What exists is not covered, whatever types it has (RFC 4592, section 2.2.1), nor is the name above.
            for name in ["fixed.apps.local.example TXT", "apps.local.example A"] {
                let answer = try daemon.dig("\(name) +authority")
                #expect(answer.status == "NOERROR" && answer.records.isEmpty && answer.negativeTTL == 60, "\(name)")
            }
            let missing = try daemon.dig("below.fixed.apps.local.example +authority")
            #expect(missing.status == "NXDOMAIN" && missing.negativeTTL == 60 && missing.flags.contains("aa"))

            let alias = try daemon.dig("www.local.example")
            #expect(alias.records.map(\.type) == ["CNAME", "CNAME", "A"] && alias.flags.contains("aa"))
            #expect(alias.records.map(\.ttl) == [30, 30, 30], "\(alias.text)")
            #expect(silent.count == 0)
        }

        @Test func `a delegation is ignored with a warning that names its line, and check says so too`() throws {
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            let daemon = try LocalRecords.daemon(silent)
            let warning = "local.zone:21:1: warning: the delegation of sub.local.example. is ignored"
            #expect(daemon.process.errors.contains(warning), "\(daemon.process.errors)")
            let check = try run([Daemon.program, "check", "-c", daemon.configuration])
            #expect(check.status == 0 && (check.output + check.errors).contains(warning), "\(check.output)")
            // Everything below the apex is answered from here.
            #expect(try daemon.dig("ns.sub.local.example").addresses == ["192.0.2.99"])
            #expect(try daemon.dig("host.sub.local.example").status == "NXDOMAIN")
            let apex = try daemon.dig("sub.local.example NS")
            #expect(apex.status == "NOERROR" && apex.records.isEmpty && apex.flags.contains("aa"))
            #expect(silent.count == 0)
        }

        @Test func `local records are under policy, and are learned like everything else`() throws {
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            let policy = Setup.policy("web", dns: ["*.apps.local.example", "www.local.example"])
            let daemon = try LocalRecords.daemon(silent, policy: policy)
            let subscriber = try FeedSubscriber(daemon.feedSocket, acknowledge: true)
            try subscriber.waitForSnapshot()
            #expect(try daemon.dig("db.local.example").status == "REFUSED")
            #expect(try daemon.dig("shop.apps.local.example").addresses == ["192.0.2.30"])
            #expect(try daemon.dig("www.local.example").addresses == ["192.0.2.20"])
            let (wildcard, _) = try subscriber.waitForUpsert("shop.apps.local.example.")
            #expect(wildcard.addresses.map { "\($0.ip)" } == ["192.0.2.30"])
            let (alias, _) = try subscriber.waitForUpsert("www.local.example.")
            #expect(alias.chain.map(\.description) == ["step.local.example.", "db.local.example."])
            #expect(!subscriber.upserts.contains { "\($0.name)" == "db.local.example." })
        }

        @Test func `a zone file that changes is in force without a signal, one with an error changes nothing`() throws {
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            let daemon = try LocalRecords.daemon(silent)
            #expect(try daemon.dig("db.local.example").addresses == ["192.0.2.20"])
            #expect(try daemon.dig("new.local.example").status == "NXDOMAIN")
            // What was answered from the old text is in the cache, and goes with it.
            let text = LocalRecords.zone.replacing("192.0.2.20", with: "192.0.2.21") + "new IN A 192.0.2.40\n"
            try daemon.workspace.write("local.zone", text)
            try eventually("the new text is not taken: \(daemon.process.errors)") {
                try daemon.dig("db.local.example").addresses == ["192.0.2.21"]
            }
            #expect(try daemon.dig("new.local.example").addresses == ["192.0.2.40"])

            try daemon.workspace.write("local.zone", text + "broken IN A 192.0.2.\n")
            try eventually("the error is not told: \(daemon.process.errors)") {
                try daemon.status()?.policy.problems.contains { $0.contains("local.zone:") } == true
            }
            #expect(try daemon.dig("db.local.example").addresses == ["192.0.2.21"])
        }

        @Test func `localhost is the loopback, and names that do not exist anywhere are not asked for`() throws {
            let silent = try Relay(to: nil)
            defer { silent.stop() }
            let daemon = try Daemon(Setup(upstream: silent.port))
            for name in ["localhost", "LocalHost", "a.b.localhost"] {
                #expect(try daemon.dig(name).addresses == ["127.0.0.1"], "\(name)")
                #expect(try daemon.dig("\(name) AAAA").addresses == ["::1"], "\(name)")
                let other = try daemon.dig("\(name) MX")
                #expect(other.status == "NOERROR" && other.records.isEmpty, "\(other.text)")
            }
            for name in ["host.invalid", "abcdef.onion"] {
                #expect(try daemon.dig(name).status == "NXDOMAIN", "\(name)")
            }
            #expect(silent.count == 0)
        }
    }
}
