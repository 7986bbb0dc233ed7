import Foundation
import Testing

extension EndToEnd {
    /// Upstreams under TLS: real ones, which prove their name, and others, which do not.
    @Suite struct DNSOverTLS {
        /// A daemon of `workers` that asks the server at `port` under TLS and trusts what `authority` has signed.
        private func daemon(
            _ port: Int, name: String = "#dns.test.example", trusting authority: Authority?, workers: Int = 2
        ) throws -> Daemon {
            var setup = Setup()
            let file = authority.map { ", caFile: \($0.file)" } ?? ""
            setup.upstreams = [#"{servers: ["tls://127.0.0.1:\#(port)\#(name)"]\#(file)}"#]
            setup.workers = workers
            return try Daemon(setup)
        }

        /// Local addresses of connections from this machine to `port` that are open. Asked of the kernel by port: its
        /// table of all connections leaves some out while others come and go.
        private func connections(to port: Int) throws -> Set<String> {
            let list = try run(["ss", "-Htn", "state", "established", "dport = :\(port)"])
            #expect(list.status == 0, "\(list.errors)")
            return Set(list.lines.compactMap { $0.split(separator: " ").dropFirst(2).first.map(String.init) })
        }

        @Test func `a server that proves its name is asked over one connection for all questions`() throws {
            let authority = try Authority()
            let unbound = try Unbound(certificate: try authority.certificate(for: "DNS:dns.test.example"))
            let daemon = try daemon(unbound.port, trusting: authority)
            let clients = try (0..<20).map { _ in try daemon.client() }
            for (number, client) in clients.enumerated() { client.ask("host\(number + 1).test.example") }
            for client in clients {
                let answer = try #require(client.answer())
                #expect(answer.code == 0 && answer.answerCount == 1)
            }
            let open = try connections(to: unbound.port)
            #expect(open.count == 1)
            for number in 21...40 {
                #expect(try daemon.dig("host\(number).test.example").addresses == ["192.0.2.\(number)"])
            }
            #expect(try connections(to: unbound.port) == open)
            #expect(try daemon.counter("upstream_errors") == 0)
        }

        @Test func `a certificate for the address does where no name is configured`() throws {
            let authority = try Authority()
            let unbound = try Unbound(certificate: try authority.certificate(for: "IP:127.0.0.1"))
            let daemon = try daemon(unbound.port, name: "", trusting: authority)
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
        }

        /// What a certificate may lack, and what is said about it.
        private static let faults: [(fault: String, line: String)] = [
            ("name", "its certificate is not for dns.test.example"),
            ("address", "its certificate is not for 127.0.0.1"),
            ("authority", "its certificate is expired, not valid yet, or signed by nobody in "),
            ("system", "signed by nobody in the system's list of authorities"),
            ("expired", "its certificate is expired, not valid yet, or signed by nobody in "),
        ]

        @Test(arguments: [0, 1, 2, 3, 4])
        func `a server that cannot prove its name is never believed, and the log says why`(_ index: Int) throws {
            let (fault, line) = DNSOverTLS.faults[index]
            let authority = try Authority()
            let name = fault == "name" ? "DNS:other.test.example" : "DNS:dns.test.example"
            let unbound = try Unbound(
                certificate: try authority.certificate(for: name, days: fault == "expired" ? -1 : 1))
            let trusted: Authority? = fault == "authority" ? try Authority() : fault == "system" ? nil : authority
            let daemon = try daemon(
                unbound.port, name: fault == "address" ? "" : "#dns.test.example", trusting: trusted)
            let answer = try daemon.dig("host1.test.example +time=10")
            #expect(answer.status == "SERVFAIL" && answer.addresses.isEmpty, "\(answer.text)")
            try eventually("it is not counted") { try daemon.counter("upstream_untrusted") > 0 }
            #expect(daemon.process.errors.contains(line), "\(daemon.process.errors)")
            let upstream = try #require(try daemon.status()?.upstreams.first)
            #expect(!upstream.isUp && upstream.problem?.contains(line) == true)
        }

        @Test func `a server that speaks no TLS is a failure like any other`() throws {
            let nsd = try NSD(zone: "host1 IN A 192.0.2.1")
            let daemon = try daemon(nsd.port, trusting: try Authority())
            #expect(try daemon.dig("host1.test.example +time=10").status == "SERVFAIL")
        }

        @Test func `a server that was restarted gets a new connection, and nobody waits for the old one`() throws {
            let authority = try Authority()
            let certificate = try authority.certificate(for: "DNS:dns.test.example")
            var unbound: Unbound? = try Unbound(certificate: certificate)
            let port = try #require(unbound?.port)
            let daemon = try daemon(port, trusting: authority)
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
            unbound = nil
            unbound = try Unbound(certificate: certificate, port: port)
            let start = ContinuousClock.now
            #expect(try daemon.dig("host2.test.example").addresses == ["192.0.2.2"])
            #expect(ContinuousClock.now - start < .seconds(1))
            withExtendedLifetime(unbound) {}
        }

        @Test func `an idle connection is closed after ten seconds, and the next question opens another`() throws {
            let authority = try Authority()
            let unbound = try Unbound(certificate: try authority.certificate(for: "DNS:dns.test.example"))
            let daemon = try daemon(unbound.port, trusting: authority)
            #expect(try daemon.dig("host1.test.example").addresses == ["192.0.2.1"])
            #expect(try connections(to: unbound.port).count == 1)
            let start = ContinuousClock.now
            try eventually("the connection stays open") { try connections(to: unbound.port).isEmpty }
            #expect(ContinuousClock.now - start > .seconds(8))
            #expect(try daemon.dig("host2.test.example").addresses == ["192.0.2.2"])
        }
    }
}
