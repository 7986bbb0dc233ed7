import Foundation
import MappingFeed
import Testing

extension EndToEnd {
    /// Every command as its own process: what it prints, and how it ends.
    @Suite struct Commands {
        /// A daemon with two identities that have each learned one name.
        private static func daemon() throws -> Daemon {
            var setup = Setup()
            setup.zone = Setup.localZone
            setup.policies = [
                "web.yaml": Setup.policy("web", dns: ["api.*.example"]),
                "batch.yaml": Setup.policy("batch", dns: ["ledger.*.example"], port: 5432),
            ]
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("api.local.example").addresses == ["192.0.2.10"])
            #expect(try daemon.dig("ledger.local.example", source: "127.0.0.2").addresses == ["192.0.2.20"])
            return daemon
        }

        /// A mapping as `cache list -o json` has it.
        private struct Mapping: Decodable {
            /// The keys that users of Cilium know.
            enum CodingKeys: String, CodingKey {
                case endpointID = "endpoint-id"
                case endpoint, client
                case expires = "expiration-time"
                case fqdn, ips
                case lookupTime = "lookup-time"
                case origin, source, ttl
            }

            /// The identity's number.
            let endpointID: UInt64
            /// Its name.
            let endpoint: String
            /// Who asked.
            let client: String
            /// When it ends.
            let expires: String
            /// The name.
            let fqdn: String
            /// What it turned into.
            let ips: [String]
            /// When it was learned.
            let lookupTime: String?
            /// Where it comes from.
            let origin: String
            /// Why it is open.
            let source: String
            /// The TTL that the client was given.
            let ttl: Int
        }

        /// The mappings that `cache list -o json` prints with further arguments.
        private static func mappings(_ daemon: Daemon, _ arguments: String...) throws -> [Mapping] {
            let command = [Daemon.program, "cache", "list", "-o", "json", "--admin", daemon.adminSocket]
            let result = try run(command + arguments)
            #expect(result.status == 0, "\(result.errors)")
            return try JSONDecoder().decode([Mapping].self, from: Data(result.output.utf8))
        }

        @Test func `cache list shows mappings with their client as table, JSON and YAML`() throws {
            let daemon = try Commands.daemon()
            let table = try daemon.command("cache", "list")
            #expect(table.status == 0, "\(table.errors)")
            let titles = ["Endpoint", "Source", "FQDN", "TTL", "ExpirationTime", "IPs"]
            #expect(table.lines.first?.split(separator: " ").map(String.init) == titles, "\(table.output)")
            let line = try #require(table.lines.first { $0.contains("api.local.example.") })
            let cells = line.split(separator: " ")
            #expect(cells.count == 6 && cells[..<4] == ["shop/web", "lookup", "api.local.example.", "300"], "\(line)")
            #expect(cells.last == "192.0.2.10", "\(line)")
            let wide = try daemon.command("cache", "list", "-o", "wide").lines
            #expect(
                wide.first?.split(separator: " ").map(String.init) == titles.dropLast() + [
                    "Client", "Origin", "LookupTime", "EndpointID", "IPs",
                ], "\(wide)")
            #expect(wide.contains { $0.contains(" 127.0.0.2 ") && $0.contains(" answer ") }, "\(wide)")

            let all = try Commands.mappings(daemon)
            #expect(all.map(\.fqdn).sorted() == ["api.local.example.", "ledger.local.example."])
            let ledger = try #require(all.first { $0.fqdn.hasPrefix("ledger") })
            #expect(ledger.client == "127.0.0.2" && ledger.endpoint == "shop/batch")
            #expect(ledger.ips == ["192.0.2.20"] && ledger.ttl == 300)
            #expect(ledger.source == "lookup" && ledger.origin == "answer")
            let format = Date.ISO8601FormatStyle(includingFractionalSeconds: ledger.expires.contains("."))
            #expect(try format.parse(ledger.expires) > Date.now)

            #expect(try Commands.mappings(daemon, "-p", "api.*.example").map(\.fqdn) == ["api.local.example."])
            #expect(try Commands.mappings(daemon, "-e", "shop/batch").map(\.fqdn) == ["ledger.local.example."])
            #expect(try Commands.mappings(daemon, "--endpoint", "shop/web").map(\.fqdn) == ["api.local.example."])
            #expect(try Commands.mappings(daemon, "--matchpattern", "none.example").isEmpty)
            #expect(try Commands.mappings(daemon, "-s", "lookup").count == 2)
            #expect(try Commands.mappings(daemon, "-s", "connection").isEmpty)

            let yaml = try daemon.command("cache", "list", "-o", "yaml")
            #expect(yaml.status == 0 && yaml.output.contains("fqdn: api.local.example."), "\(yaml.output)")
        }

        @Test func `cache list -s connection shows what a connection keeps open, and only that`() throws {
            var setup = Setup()
            setup.zone = Setup.localZone.replacing("api IN A", with: "api 1 IN A")
            setup.policies = ["web.yaml": Setup.policy("web")]
            setup.extra = "learning: {grace: 1s}"
            let daemon = try Daemon(setup)
            let enforcer = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try enforcer.waitForSnapshot()
            #expect(try daemon.dig("api.local.example").addresses == ["192.0.2.10"])
            #expect(try daemon.dig("ledger.local.example").addresses == ["192.0.2.20"])
            let (upsert, _) = try enforcer.waitForUpsert("api.local.example.")
            let use = AddressesInUse(identity: upsert.identity, addresses: upsert.addresses.map(\.ip))
            try eventually("never kept: \(enforcer.arrivals)") {
                enforcer.send(.inUse(use))
                return try Commands.mappings(daemon, "-s", "connection").map(\.fqdn) == ["api.local.example."]
            }
            #expect(try Commands.mappings(daemon, "-s", "lookup").map(\.fqdn) == ["ledger.local.example."])
            #expect(try Commands.mappings(daemon, "-s", "connection").first?.origin == "connection")
        }

        @Test func `cache list --answers shows answers, cache clean forgets them and keeps the mappings`() throws {
            let nsd = try NSD(zone: "first IN A 192.0.2.1\nsecond IN A 192.0.2.2")
            let relay = try Relay(to: nsd.port)
            defer { relay.stop() }
            var setup = Setup(upstream: relay.port)
            setup.policies = ["web.yaml": Setup.policy("web")]
            let daemon = try Daemon(setup)
            for name in ["first", "second", "missing"] { _ = try daemon.dig("\(name).test.example") }
            let answers = try daemon.command("cache", "list", "--answers")
            #expect(answers.status == 0, "\(answers.errors)")
            for (name, data) in [("first", "192.0.2.1"), ("second", "192.0.2.2"), ("missing", "NXDOMAIN")] {
                let line = answers.lines.first { $0.contains("\(name).test.example.") }
                #expect(line?.contains(data) == true, "\(answers.output)")
            }

            // Standard input is no terminal: without -f there is nobody who could confirm.
            #expect(try daemon.command("cache", "clean").status != 0)
            let some = try daemon.command("cache", "clean", "-f", "-p", "first.test.example")
            #expect(some.status == 0, "\(some.errors)")
            let left = try daemon.command("cache", "list", "--answers").output
            #expect(!left.contains("first.test.example.") && left.contains("second.test.example."))
            #expect(try daemon.command("cache", "clean", "-f").status == 0)
            #expect(try !daemon.command("cache", "list", "--answers").output.contains("second.test.example."))
            let kept = try Commands.mappings(daemon).map(\.fqdn).sorted()
            #expect(kept == ["first.test.example.", "second.test.example."])

            let before = relay.count
            #expect(try daemon.dig("first.test.example").addresses == ["192.0.2.1"])
            #expect(relay.count == before + 1)
        }

        @Test func `cache clean --mappings takes mappings back and tells the enforcers`() throws {
            let daemon = try Commands.daemon()
            let subscriber = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try subscriber.waitForSnapshot()
            let result = try daemon.command("cache", "clean", "-f", "--mappings", "-p", "api.local.example")
            #expect(result.status == 0, "\(result.errors)")
            #expect(try Commands.mappings(daemon).map(\.fqdn) == ["ledger.local.example."])
            try eventually("no delete: \(subscriber.arrivals)") {
                subscriber.arrivals.contains {
                    if case .delete(let delete) = $0.event {
                        "\(delete.name)" == "api.local.example." && delete.reason == .flushed
                    } else {
                        false
                    }
                }
            }
            // Asked again, it is learned and published again.
            #expect(try daemon.dig("api.local.example").addresses == ["192.0.2.10"])
            try eventually("not published again") {
                subscriber.upserts.filter { "\($0.name)" == "api.local.example." }.count == 2
            }
        }

        @Test func `policy explain says what would happen and which rule decides`() throws {
            let daemon = try Commands.daemon()
            let allowed = try daemon.command("policy", "explain", "--client", "127.0.0.1", "api.local.example", "AAAA")
            #expect(allowed.status == 0, "\(allowed.errors)")
            for part in ["allowed", "shop/web", "web.yaml:", "443"] {
                #expect(allowed.output.contains(part), "\(part): \(allowed.output)")
            }
            let denied = try daemon.command("policy", "explain", "--client", "127.0.0.2", "api.local.example")
            #expect(denied.status == 0 && denied.output.contains("denied"), "\(denied.output)")
            let json = try daemon.command(
                "policy", "explain", "--client", "127.0.0.77", "api.local.example", "-o", "json")
            #expect(json.status == 0, "\(json.errors)")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect(object["verdict"] as? String == "prohibited", "\(json.output)")
            #expect(try daemon.command("policy", "explain", "--client", "300.0.0.1", "api.local.example").status == 64)
            #expect(try daemon.command("policy", "explain", "--client", "127.0.0.1", "a..b").status == 64)
        }

        @Test func `policy list shows every compiled rule with its place`() throws {
            let daemon = try Commands.daemon()
            let table = try daemon.command("policy", "list")
            #expect(table.status == 0, "\(table.errors)")
            for (identity, kind, text, place) in [
                ("shop/web", "allow", "api.*.example", "web.yaml:9"), ("shop/web", "learn", "443/TCP", "web.yaml:10"),
                ("shop/batch", "learn", "5432/TCP", "batch.yaml:10"),
            ] {
                let isThere = table.lines.contains { line in
                    [identity, kind, text, place].allSatisfy { line.contains($0) }
                }
                #expect(isThere, "\(identity) \(kind): \(table.output)")
            }
            let json = try daemon.command("policy", "list", "--identity", "shop/batch", "-o", "json")
            let rules = try #require(
                try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
            #expect(!rules.isEmpty && rules.allSatisfy { $0["identityName"] as? String == "shop/batch" })
            #expect(try daemon.command("policy", "list", "--identity", "shop/nobody").status == 1)
        }

        @Test func `policy suggest writes a policy that allows what was seen under audit, and nothing else`() throws {
            var setup = Setup()
            setup.zone = Setup.localZone
            setup.extra = "enforcement: audit"
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["nothing.example"])]
            let daemon = try Daemon(setup)
            let nothing = try daemon.command("policy", "suggest", "--identity", "shop/web")
            #expect(nothing.status == 1 && nothing.output.isEmpty, "\(nothing.errors)")
            #expect(try daemon.dig("api.local.example").addresses == ["192.0.2.10"])
            let suggested = try daemon.command("policy", "suggest", "--identity", "shop/web")
            #expect(suggested.status == 0, "\(suggested.errors)")
            #expect(suggested.errors.contains("names: 1, let pass by audit: 1"), "\(suggested.errors)")
            // In force instead of what was there, it allows the one name.
            setup.extra = ""
            setup.policies = ["web.yaml": suggested.output]
            let enforcing = try Daemon(setup)
            #expect(try enforcing.dig("api.local.example").addresses == ["192.0.2.10"])
            #expect(try enforcing.dig("ledger.local.example").status == "REFUSED")
            #expect(try enforcing.command("cache", "list").output.contains("192.0.2.10"))
        }

        @Test func `policy suggest knows of each name whether audit let it pass the last time, over reloads`() throws {
            var setup = Setup()
            setup.zone = Setup.localZone
            let audited = Setup.policy("web", dns: ["nothing.example"]).replacingOccurrences(
                of: "namespace: shop}", with: "namespace: shop, annotations: {dnsproxyd.io/enforcement: audit}}")
            setup.policies = ["web.yaml": audited]
            setup.workers = 1
            let daemon = try Daemon(setup)
            for (generation, passes) in [1, 0, 1].enumerated() {
                if generation > 0 {
                    try daemon.workspace.write("policies/web.yaml", passes == 1 ? audited : Setup.policy("web"))
                    daemon.process.signal(SIGHUP)
                    try eventually("no reload") { try daemon.status()?.policy.generation == generation + 1 }
                }
                // The second time the worker knows the answer.
                for _ in 1...2 { #expect(try daemon.dig("api.local.example").addresses == ["192.0.2.10"]) }
                try eventually("not \(passes) let pass") {
                    try daemon.command("policy", "suggest", "--identity", "shop/web").errors
                        .contains("names: 1, let pass by audit: \(passes)")
                }
            }
        }

        @Test func `identity list shows names, labels and addresses`() throws {
            let daemon = try Commands.daemon()
            let list = try daemon.command("identity", "list")
            #expect(list.status == 0, "\(list.errors)")
            let web = try #require(list.lines.first { $0.contains("web") }, "\(list.output)")
            #expect(web.contains("127.0.0.1") && web.contains("app=web"), "\(list.output)")
            #expect(list.output.contains("127.0.0.2"))
        }

        @Test func `feed watch prints the snapshot and then every change as JSON lines`() throws {
            let daemon = try Commands.daemon()
            let watch = try RunningProcess([Daemon.program, "feed", "watch", "--admin", daemon.adminSocket])
            try eventually("no snapshot: \(watch.output) \(watch.errors)") { watch.output.contains("snapshot-end") }
            #expect(watch.output.contains("ledger.local.example."))
            // It only watches: nothing waits for it.
            #expect(try daemon.status()?.feed.acknowledging == 0)
            #expect(try daemon.command("cache", "clean", "-f", "--mappings").status == 0)
            try eventually("no delete: \(watch.output)") { watch.output.contains(#""reason":"flushed""#) }
            for line in watch.output.split(separator: "\n") {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                #expect(object?["event"] is String, "\(line)")
            }
            // The daemon goes: so does the watcher, and says so.
            #expect(try daemon.stop() == 0)
            #expect(try watch.wait() != 0)
            #expect(watch.errors.contains("dnsproxyd: "))
        }

        @Test func `status tells version, policy and counters`() throws {
            let daemon = try Commands.daemon()
            let status = try daemon.command("status")
            #expect(status.status == 0, "\(status.errors)")
            for part in ["127.0.0.1:\(daemon.port)", daemon.feedSocket] {
                #expect(status.output.contains(part), "\(part): \(status.output)")
            }
        }

        @Test func `status tells how far each subscriber of the feed is`() throws {
            let daemon = try Commands.daemon()
            #expect(try !daemon.command("status").output.contains("Subscribers"))
            let watching = try FeedSubscriber(daemon.feedSocket, acknowledge: false)
            let enforcing = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try watching.waitForSnapshot()
            try enforcing.waitForSnapshot()
            let process = "process \(ProcessInfo.processInfo.processIdentifier) of user \(geteuid()), since"
            var shown = ""
            func isShown() throws -> Bool {
                shown = try daemon.command("status").output
                let lines = shown.split(separator: "\n").filter { $0.contains(process) }
                return lines.count == 2 && lines[0].contains("acknowledges nothing")
                    && lines[1].contains("acknowledged up to") && lines[1].hasSuffix("behind: 0")
            }
            try eventually("status shows \(shown)", isShown)
        }

        @Test func `without a daemon every command that needs one ends with 69 and one line`() throws {
            let workspace = try Workspace()
            for arguments in [
                ["cache", "list"], ["cache", "clean", "-f"], ["identity", "list"], ["feed", "watch"], ["status"],
                ["policy", "explain", "--client", "127.0.0.1", "a.example"],
            ] {
                let result = try run([Daemon.program] + arguments + ["--admin", workspace.file("none.sock")])
                #expect(result.status == 69, "\(arguments): \(result.errors)")
                #expect(result.output.isEmpty)
                let lines = result.errors.split(separator: "\n")
                #expect(lines.count == 1, "\(arguments): \(result.errors)")
                #expect(lines.first?.hasPrefix("dnsproxyd: ") == true && result.errors.contains("none.sock"))
            }
        }

        @Test func `wrong usage ends with 64 and help with an example and 0`() throws {
            for arguments in [
                ["no-such-command"], ["serve"], ["check"], ["cache", "list", "-o", "xml"], ["policy", "explain"],
                ["cache", "list", "--no-such-option"], ["cache", "list", "-s", "zombie"],
                ["cache", "list", "--answers", "-e", "shop/web"],
            ] {
                #expect(try run([Daemon.program] + arguments).status == 64, "\(arguments)")
            }
            for (words, _) in try CommandTree.all() {
                let help = try run([Daemon.program] + words.dropFirst() + ["--help"])
                #expect(help.status == 0)
                let examples = help.output.split(separator: "\n").drop { $0 != "EXAMPLES:" }.dropFirst()
                #expect(examples.first?.hasPrefix("  \(words.joined(separator: " "))") == true, "\(help.output)")
                // Nothing is broken into lines that would no longer work when they are pasted.
                #expect(examples.prefix { $0.hasPrefix("  ") }.allSatisfy { $0.hasPrefix("  dnsproxyd ") })
            }
        }

        @Test func `a pattern that is none is wrong usage, said in the words of the policy reader`() throws {
            for command in ["list", "clean"] {
                for (pattern, words) in [
                    ("b!.example", #"contains "!": only letters, digits"#), ("a..b", "has an empty label"),
                    (" ", "is empty"),
                ] {
                    let result = try run([Daemon.program, "cache", command, "-p", pattern])
                    #expect(result.status == 64 && result.output.isEmpty)
                    #expect(result.errors.contains(words), "\(result.errors)")
                }
            }
        }
    }
}
