import DNSWire
import FQDNPolicy
import Testing

@testable import DNSProxy

/// The configuration file: what it means, and what is said about one that is wrong.
@Suite struct ConfigurationTests {
    /// Reads `text` as the file `/etc/dnsproxyd/dnsproxyd.yaml`.
    private func read(_ text: String) throws(InvalidConfiguration) -> DaemonConfiguration {
        try ConfigurationFile.read(text, file: "/etc/dnsproxyd/dnsproxyd.yaml")
    }

    /// What is said about `text`, without the folder of the file.
    private func problems(_ text: String) -> [String] {
        do throws(InvalidConfiguration) {
            return try read(text).problems.map { "\($0)".replacing("/etc/dnsproxyd/", with: "") }
        } catch {
            return error.problems.map { "\($0)".replacing("/etc/dnsproxyd/", with: "") }
        }
    }

    @Test(arguments: ["", "# nothing but a comment\n", "{}\n", "---\n"])
    func `an empty file is the defaults`(_ text: String) throws {
        let configuration = try read(text)
        let engine = configuration.engine
        #expect(engine.listen.map(\.description) == ["127.0.0.1:5355"])
        #expect(engine.workers == nil && engine.user == nil && engine.group == nil)
        #expect(engine.enforcement == .default)
        #expect(engine.policies.isEmpty && engine.identities.isEmpty && engine.zones.isEmpty)
        #expect(engine.upstreams.isEmpty)
        #expect(engine.denyResponse == .refused)
        #expect(engine.allowQueriesFrom == EngineConfiguration.privateNetworks)
        #expect(engine.cache.size == 64 << 20 && engine.cache.prefetch)
        #expect(engine.feed.socket == "/run/dnsproxyd/feed.sock")
        #expect(engine.feed.journal == "/var/lib/dnsproxyd")
        #expect(engine.feed.maxDelayMilliseconds == 100 && engine.feed.onDelay == .answer)
        #expect(engine.admin.socket == "/run/dnsproxyd/admin.sock")
        #expect(engine.admin.http?.description == "127.0.0.1:9253")
        #expect(engine.admin.health?.description == "127.0.0.1:8080")
        #expect(engine.flows.recent == 4_096 && engine.flows.rate == 1_000 && engine.flows.watchedRate == 20_000)
        #expect(engine.flows.export == nil && !engine.metrics.upstreamLabels)
        #expect(engine.limits.connections == 4_096 && engine.limits.connectionsPerClient == 256)
        #expect(engine.limits.idleTimeout == 10 && engine.limits.firstQueryTimeout == 5)
        #expect(engine.limits.responsesPerSecond == nil && engine.limits.ipv6PrefixLength == 64)
        #expect(configuration.log == LogConfiguration())
        #expect(configuration.problems.isEmpty)
    }

    @Test func `every key is read`() throws {
        let configuration = try read(
            """
            listen: ["0.0.0.0", "[::1]:5355"]
            user: dnsproxyd
            group: 4711
            workers: 2
            enforcement: audit
            policies: [policies/, /srv/policies]
            identities: [identities.yaml]
            zones: [example.zone]
            upstreams:
              - domains: [cluster.local, IN-ADDR.arpa.]
                servers: ["10.96.0.10:53"]
                policy: roundRobin
              - servers: ["tcp://192.0.2.1:5353", "udp://[2001:db8::1]", "192.0.2.2"]
                policy: random
              - domains: [tls.example]
                servers: ["tls://9.9.9.9#DNS.quad9.net", "tls://[2001:db8::1]:8853"]
                caseRandomization: false
            deny: {response: nameError}
            unknownClients: allow
            allowQueriesFrom: [10.0.0.0/8, "::1"]
            cache: {size: 1GiB, minTTL: 5s, maxTTL: 7d, negativeMaxTTL: 0s, serveStale: 90m, prefetch: false}
            learning: {scope: all, minTTL: 60s, grace: 2m, maxAddressesPerName: 50, denyAddresses: [192.0.2.0/24]}
            feed: {socket: /tmp/feed.sock, journal: state, maxDelay: 250ms, onDelay: servfail, requireEnforcer: true}
            admin: {socket: run/admin.sock, http: "0.0.0.0:9999", health: "[::]:8081", exposeHTTP: true, page: true}
            metrics: {upstreamLabels: true}
            limits:
              connections: 10000
              connectionsPerClient: 20
              idleTimeout: 1m
              firstQueryTimeout: 4s
              responsesPerSecond: 500
              ipv6PrefixLength: 128
            flows:
              recent: 100
              rate: 0
              watchedRate: 5
              export:
                file: flows.log
                maxSize: 1MB
                maxFiles: 0
                allow: [{verdict: [DROPPED], outcome: [denied], name: ["*.a"], type: [A, TYPE65], rcode: [REFUSED]}]
                deny: [{identity: [shop/web], client: [10.0.0.0/8]}, {}]
                fields: [verdict, l7]
                redact: [l7.dns.query]
            log: {level: debug, format: json}
            """)
        let engine = configuration.engine
        #expect(engine.listen.map(\.description) == ["0.0.0.0:53", "[::1]:5355"])
        #expect(engine.workers == 2 && engine.user == "dnsproxyd" && engine.group == "4711")
        #expect(engine.admin.page && !EngineConfiguration().admin.page)
        #expect(engine.enforcement == .audit)
        #expect(engine.policies == ["/etc/dnsproxyd/policies/", "/srv/policies"])
        #expect(engine.identities == ["/etc/dnsproxyd/identities.yaml"])
        #expect(engine.zones == ["/etc/dnsproxyd/example.zone"])
        #expect(
            engine.upstreams == [
                UpstreamRoute(
                    domains: [try DomainName("cluster.local"), try DomainName("in-addr.arpa")],
                    servers: [UpstreamServer(try #require(SocketAddress("10.96.0.10:53", defaultPort: 1)))],
                    policy: .roundRobin),
                UpstreamRoute(
                    servers: [
                        UpstreamServer(try #require(SocketAddress("192.0.2.1:5353", defaultPort: 1)), transport: .tcp),
                        UpstreamServer(try #require(SocketAddress("[2001:db8::1]:53", defaultPort: 1))),
                        UpstreamServer(try #require(SocketAddress("192.0.2.2:53", defaultPort: 1))),
                    ],
                    policy: .random),
                UpstreamRoute(
                    domains: [try DomainName("tls.example")],
                    servers: [
                        UpstreamServer(
                            try #require(SocketAddress("9.9.9.9:853", defaultPort: 1)), transport: .tls,
                            name: "dns.quad9.net"),
                        UpstreamServer(
                            try #require(SocketAddress("[2001:db8::1]:8853", defaultPort: 1)), transport: .tls),
                    ], randomizesCase: false),
            ])
        #expect(engine.upstreams[2].servers[0].description == "tls://9.9.9.9:853#dns.quad9.net")
        #expect(engine.denyResponse == .nameError)
        #expect(engine.unknownClients == .allow)
        #expect(engine.allowQueriesFrom.map(\.description) == ["10.0.0.0/8", "::1"])
        #expect(engine.cache.size == 1 << 30 && !engine.cache.prefetch)
        #expect(engine.cache.minTTL == 5 && engine.cache.maxTTL == 604_800 && engine.cache.negativeMaxTTL == 0)
        #expect(engine.cache.serveStale == 5_400 && engine.metrics.upstreamLabels)
        #expect(engine.learning.scope == .all && engine.learning.minTTL == 60 && engine.learning.grace == 120)
        #expect(engine.learning.maxAddressesPerName == 50)
        #expect(engine.learning.denyAddresses.map(\.description) == ["192.0.2.0/24"])
        #expect(engine.feed.socket == "/tmp/feed.sock" && engine.feed.journal == "/etc/dnsproxyd/state")
        #expect(engine.feed.maxDelayMilliseconds == 250 && engine.feed.onDelay == .servfail)
        #expect(engine.feed.requireEnforcer)
        #expect(engine.admin.socket == "/etc/dnsproxyd/run/admin.sock")
        #expect(engine.admin.http?.description == "0.0.0.0:9999" && engine.admin.health?.description == "[::]:8081")
        #expect(engine.flows.recent == 100 && engine.flows.rate == 0 && engine.flows.watchedRate == 5)
        #expect(engine.limits.connections == 10_000 && engine.limits.connectionsPerClient == 20)
        #expect(engine.limits.idleTimeout == 60 && engine.limits.firstQueryTimeout == 4)
        #expect(engine.limits.responsesPerSecond == 500 && engine.limits.ipv6PrefixLength == 128)
        let export = try #require(engine.flows.export)
        #expect(export.file == "/etc/dnsproxyd/flows.log" && export.maxSize == 1_000_000 && export.maxFiles == 0)
        #expect(export.allow.count == 1 && export.deny.count == 2)
        #expect(export.allow[0].verdicts == [.dropped] && export.allow[0].outcomes == [.denied])
        #expect(export.allow[0].types == [.a, .https] && export.allow[0].responseCodes == [.refused])
        #expect(export.allow[0].names.count == 1)
        #expect(export.deny[0].identityNames == ["shop/web"] && export.deny[0].clients.count == 1)
        #expect(configuration.log.level == .debug && configuration.log.format == .json)
        #expect(configuration.problems.isEmpty)
    }

    @Test(arguments: ["none", "null", "\"\""])
    func `responses are not limited where the limit is switched off`(_ value: String) throws {
        #expect(try read("limits: {responsesPerSecond: \(value)}").engine.limits.responsesPerSecond == nil)
    }

    @Test func `flows are switched off, or exported to standard output`() throws {
        #expect(try read("flows: none").engine.flows.recent == 0)
        let flows = try read("flows: {export: {file: stdout}}").engine.flows
        #expect(flows.recent == 4_096 && flows.export != nil && flows.export?.file == nil)
        #expect(try read("flows: {export: none}").engine.flows.export == nil)
    }

    @Test(arguments: [
        "feed: {socket: none, journal: none}\nadmin: {socket: none, http: none, health: none}",
        "feed: {socket: null, journal: ~}\nadmin: {socket: null, http: Null, health: NULL}",
        "feed: {socket: \"\", journal: ''}\nadmin: {socket: \"\", http: \"\", health: ''}",
        "feed: none\nadmin: none", "feed: null\nadmin: ~", "feed: \"\"\nadmin: ''",
    ])
    func `none, null and empty quotes switch a part off`(_ text: String) throws {
        let engine = try read(text).engine
        #expect(engine.feed.socket == nil && engine.feed.journal == nil)
        #expect(engine.admin.socket == nil && engine.admin.http == nil && engine.admin.health == nil)
    }

    @Test func `a part that is switched off leaves the others as they are`() throws {
        let engine = try read("feed: {journal: none}\nadmin: {http: none}").engine
        #expect(engine.feed.socket == "/run/dnsproxyd/feed.sock" && engine.feed.journal == nil)
        #expect(engine.admin.socket == "/run/dnsproxyd/admin.sock" && engine.admin.http == nil)
        #expect(engine.admin.health?.port == 8080)
    }

    @Test(arguments: ConfigurationTests.badFiles)
    func `a mistake is named with file, line, column and key path`(_ text: String, _ expected: String) throws {
        #expect(throws: InvalidConfiguration.self) { try read(text) }
        #expect(problems(text) == ["dnsproxyd.yaml:\(expected)"])
    }

    @Test func `all mistakes are named at once, in the order of reading`() {
        let text = """
            listen: ["127.0.0.1:99999"]
            workers: many
            enforcment: default
            cache: {size: 64MiB, minTTL: soon}
            feed: {maxDelay: 100ms, onDelay: wait}
            upstreams:
              - servers: ["not an address"]
            """
        let places = Set(problems(text).map { $0.split(separator: ": ").prefix(3).joined(separator: " ") })
        #expect(
            places == [
                "dnsproxyd.yaml:1:10 error listen[0]", "dnsproxyd.yaml:2:10 error workers",
                "dnsproxyd.yaml:3:1 error unknown key \"enforcment\" (did you mean \"enforcement\"?)",
                "dnsproxyd.yaml:4:30 error cache.minTTL", "dnsproxyd.yaml:5:34 error feed.onDelay",
                "dnsproxyd.yaml:7:15 error upstreams[0].servers[0]",
            ])
    }

    @Test func `a notice does not refuse the file`() throws {
        let configuration = try read("upstreams: [{domains: [a.example], servers: [192.0.2.1]}]")
        #expect(configuration.problems.map(\.severity) == [.notice])
        #expect(configuration.engine.upstreams.count == 1)
    }

    @Test func `a file that is missing, a folder, too long or no text is named`() throws {
        for path in ["/nonexistent/dnsproxyd.yaml", "/", "/dev/zero"] {
            let error = try #require(throws: InvalidConfiguration.self) { try ConfigurationFile.load(path) }
            #expect(error.problems.count == 1 && error.problems[0].file == path)
        }
        let program = try #require(throws: InvalidConfiguration.self) { try ConfigurationFile.load("/bin/true") }
        #expect(program.problems[0].message == "the file is not UTF-8 text")
    }

    @Test func `a configuration of more than a mebibyte is refused`() {
        let text = String(repeating: "# filling\n", count: 1 << 17)
        #expect(problems(text).first?.contains("more than the limit") == true)
    }
}
