import Foundation
import Testing

extension EndToEnd {
    /// Queries that have ended, as people and programs see them.
    @Suite struct Observing {
        /// What a test needs.
        private struct Stage {
            /// The daemon.
            let daemon: Daemon
            /// The port of its metrics.
            let port: Int
            /// The server behind it.
            let upstream: NSD
        }

        /// A daemon with two identities, local records and an upstream, and `flows` in its configuration.
        private static func stage(_ flows: String = "") throws -> Stage {
            let nsd = try NSD(
                zone: "*.many IN A 192.0.2.1\nwww IN CNAME api\napi IN A 192.0.2.7\napi IN AAAA 2001:db8::7")
            var setup = Setup(upstream: nsd.port)
            setup.zone = Setup.localZone
            setup.policies = [
                "web.yaml": Setup.policy("web", dns: ["api.*.example", "**.test.example"]),
                "batch.yaml": Setup.policy("batch", dns: ["ledger.*.example"], port: 5432),
            ]
            let port = try Ports.free()
            setup.metricsPort = port
            setup.extra = flows
            let daemon = try Daemon(setup)
            try eventually("no metrics") { (try? Metrics(port: port)) != nil }
            return Stage(daemon: daemon, port: port, upstream: nsd)
        }

        /// Some queries of each kind, none of which the cache answers.
        private static func ask(_ daemon: Daemon) throws {
            #expect(try daemon.dig("www.test.example").status == "NOERROR")
            #expect(try daemon.dig("missing.test.example AAAA").status == "NXDOMAIN")
            #expect(try daemon.dig("ledger.local.example").status == "REFUSED")
            #expect(try daemon.dig("ledger.local.example", source: "127.0.0.2").status == "NOERROR")
            #expect(try daemon.dig("api.local.example", source: "127.0.0.9").status == "REFUSED")
            #expect(try daemon.dig("+tcp version.bind CH TXT").status == "REFUSED")
        }

        /// What a command about flows prints, line by line.
        private static func lines(_ daemon: Daemon, _ arguments: [String]) throws -> [String] {
            let result = try run([Daemon.program, "observe", "--admin", daemon.adminSocket] + arguments)
            #expect(result.status == 0 && result.errors.isEmpty, "\(arguments): \(result.errors)")
            return result.lines.map(String.init)
        }

        @Test func `what went wrong before anybody looked is shown with the reason`() throws {
            let stage = try Observing.stage()
            let daemon = stage.daemon
            try Observing.ask(daemon)
            var lines: [String] = []
            try eventually("not six flows: \(lines)") {
                lines = try Observing.lines(daemon, [])
                return lines.count == 6
            }
            #expect(
                lines[0].contains("shop/web (127.0.0.1) -> www.test.example. A FORWARDED 192.0.2.7 ttl 300 upstream"))
            #expect(lines[0].contains("(upstream "))
            #expect(lines[0].contains(#": matchPattern: "**.test.example" ("#) && lines[0].contains("web.yaml:"))
            #expect(lines[1].contains("missing.test.example. AAAA FORWARDED NXDOMAIN upstream, "))
            #expect(lines[2].contains("shop/web (127.0.0.1) -> ledger.local.example. A DROPPED REFUSED denied, "))
            #expect(lines[2].hasSuffix(": no rule of shop/web allows it"))
            #expect(lines[3].contains("shop/batch (127.0.0.2) -> ledger.local.example. A FORWARDED 192.0.2.20"))
            #expect(
                lines[4].contains("reserved:unknown (127.0.0.9)") && lines[4].contains("no identity has the client's"))
            #expect(lines[5].contains("ERROR REFUSED rejected over TCP, "))
            let table = try Observing.lines(daemon, ["-o", "table"])
            #expect(table.count == 7 && table[0].hasPrefix("TIME") && table[0].hasSuffix("REASON"))
            #expect(table[3].hasSuffix("no rule of shop/web allows it"))
        }

        @Test func `an EDNS version is shown and counted as BADVERS, as all twelve bits of the code say`() throws {
            let stage = try Observing.stage()
            let daemon = stage.daemon
            let answer = try daemon.ask(WireQuery("api.test.example").with(WireQuery.OPT(version: 1)))
            #expect(answer.code == 16 && answer.bytes[3] & 0xF == 0 && answer.opt?.ttl == 0x0100_0000)
            var lines: [String] = []
            try eventually("no flow: \(lines)") {
                lines = try Observing.lines(daemon, ["--rcode", "BADVERS"])
                return !lines.isEmpty
            }
            #expect(lines.count == 1 && lines[0].contains("api.test.example. A ERROR BADVERS rejected, "), "\(lines)")
            #expect(try Observing.lines(daemon, ["--rcode", "NOERROR"]).isEmpty)
            let flow = try Observing.lines(daemon, ["-o", "jsonpb"])
            #expect(flow.count == 1 && flow[0].contains(#""rcode":16"#), "\(flow)")
            let metrics = try Metrics(port: stage.port)
            #expect(metrics.values["responses_total{rcode=\"BADVERS\"}"] == 1)
            #expect(metrics.values["responses_total{rcode=\"NOERROR\"}"] == 0)
            #expect(try daemon.counter("responses_badvers") == 1)
        }

        @Test func `each filter shows what fits it, several values mean any, several filters all`() throws {
            let stage = try Observing.stage()
            let daemon = stage.daemon
            try Observing.ask(daemon)
            try eventually("not six flows") { try Observing.lines(daemon, []).count == 6 }
            let cases: [([String], [Int])] = [
                (["--verdict", "DROPPED"], [2, 4]), (["--verdict", "error", "--verdict", "forwarded"], [0, 1, 3, 5]),
                (["--outcome", "denied"], [2]), (["--name", "*.local.example"], [2, 3, 4]),
                (["--name", "*.test.example", "--name", "api.*.example"], [0, 1, 4]),
                (["--identity", "shop/web"], [0, 1, 2, 5]), (["--identity", "batch", "--identity", "0"], [3, 4]),
                (["--client", "127.0.0.2"], [3]), (["--client", "127.0.0.8/30"], [4]), (["--type", "aaaa"], [1]),
                (["--rcode", "NXDOMAIN", "--rcode", "NOERROR"], [0, 1, 3]),
                (["--identity", "shop/web", "--verdict", "DROPPED", "--type", "A"], [2]),
                (["--last", "2"], [4, 5]), (["--last", "1", "--verdict", "DROPPED"], [4]), (["--last", "0"], []),
                (["--since", "1h"], [0, 1, 2, 3, 4, 5]), (["--since", "0s"], []),
                (["--not", "--verdict", "DROPPED"], [0, 1, 3, 5]), (["--not", "--verdict=dropped"], [0, 1, 3, 5]),
                (["--not", "-e", "shop/web"], [3, 4]),
                (["--not", "--verdict", "DROPPED", "--type", "A", "--not", "--verdict", "ERROR"], [0, 3]),
                // Different ones leave out what fits all of them.
                (["--not", "--verdict", "DROPPED", "--not", "--client", "127.0.0.9"], [0, 1, 2, 3, 5]),
                (["--not", "--name", "*.local.example", "--last", "2"], [1, 5]),
            ]
            let all = try Observing.lines(daemon, [])
            for (arguments, wanted) in cases {
                #expect(try Observing.lines(daemon, arguments) == wanted.map { all[$0] }, "\(arguments)")
            }
        }

        @Test func `who follows sees every query, those from the cache too, at once`() throws {
            let stage = try Observing.stage()
            let (daemon, port) = (stage.daemon, stage.port)
            for _ in 1...2 { #expect(try daemon.dig("api.test.example").status == "NOERROR") }
            try eventually("nothing is noted") { try Metrics(port: port).values["flows_noted_total"] == 1 }
            let follower = try RunningProcess([
                Daemon.program, "observe", "-f", "--name", "api.test.example", "--admin", daemon.adminSocket,
            ])
            defer { follower.signal(SIGTERM) }
            try eventually("nobody follows") { try Metrics(port: port).values["flow_readers"] == 1 }
            #expect(try daemon.dig("api.local.example").status == "NOERROR")
            #expect(try daemon.dig("api.test.example").status == "NOERROR")
            try eventually("nothing comes: \(follower.errors)") { !follower.output.isEmpty }
            #expect(follower.output.contains("api.test.example. A FORWARDED 192.0.2.7 ttl "))
            #expect(follower.output.contains(" hit, "))
            follower.signal(SIGTERM)
            try follower.wait()
            #expect(follower.output.split(separator: "\n").count == 1)
            // The daemon finds out when it writes next.
            try eventually("the follower is never forgotten") { try Metrics(port: port).values["flow_readers"] == 0 }
        }

        @Test func `who follows sees a query within a second`() throws {
            let stage = try Observing.stage()
            let (daemon, port) = (stage.daemon, stage.port)
            let follower = try RunningProcess([Daemon.program, "observe", "-f", "--admin", daemon.adminSocket])
            defer { follower.signal(SIGTERM) }
            try eventually("nobody follows") { try Metrics(port: port).values["flow_readers"] == 1 }
            // A machine that has other things to do may delay one of them, but not each.
            var delays: [Duration] = []
            for number in 1...5 {
                let asked = ContinuousClock.now
                #expect(try daemon.dig("n\(number).local.example").status == "REFUSED")
                try eventually("nothing comes: \(follower.errors)") {
                    follower.output.contains(" n\(number).local.example. ")
                }
                delays.append(.now - asked)
            }
            #expect(try #require(delays.min()) < .seconds(1), "\(delays)")
        }

        @Test(arguments: [SIGTERM, SIGKILL])
        func `who follows a daemon that ends is told so, and ends with 1`(signal: Int32) throws {
            let stage = try Observing.stage()
            let daemon = stage.daemon
            let follower = try RunningProcess([Daemon.program, "observe", "-f", "--admin", daemon.adminSocket])
            try eventually("nobody follows") { try Metrics(port: stage.port).values["flow_readers"] == 1 }
            daemon.process.signal(signal)
            #expect(try follower.wait() == 1)
            #expect(follower.output.isEmpty)
            #expect(follower.errors.hasPrefix("dnsproxyd: ") && follower.errors.split(separator: "\n").count == 1)
        }

        @Test func `what is answered only because of audit, and what comes from nowhere, is shown as such`() throws {
            let stage = try Observing.stage("enforcement: audit\nallowQueriesFrom: [127.0.0.1/32]")
            let daemon = stage.daemon
            #expect(try daemon.dig("ledger.local.example").status == "NOERROR")
            let stranger = try daemon.client(source: "127.0.0.66")
            stranger.ask("api.local.example")
            var lines: [String] = []
            try eventually("not two flows: \(lines)") {
                lines = try Observing.lines(daemon, ["--verdict", "AUDIT", "--verdict", "DROPPED"])
                return lines.count == 2
            }
            #expect(lines[0].contains("ledger.local.example. A AUDIT 192.0.2.20 ttl 300 local, "))
            #expect(lines[0].hasSuffix(": enforcement is audit; no rule allows it"))
            #expect(lines[1].contains("(127.0.0.66) -> api.local.example. A DROPPED dropped, "))
            #expect(lines[1].hasSuffix(": the client's network is not in allowQueriesFrom"))
        }

        @Test func `jsonpb is the JSON of Hubble`() throws {
            let stage = try Observing.stage()
            let daemon = stage.daemon
            try Observing.ask(daemon)
            var lines: [String] = []
            try eventually("not six flows: \(lines)") {
                lines = try Observing.lines(daemon, ["-o", "jsonpb"])
                return lines.count == 6
            }
            /// The value at `path` of a line.
            func value(_ line: Int, _ path: String) throws -> Any? {
                var object = try JSONSerialization.jsonObject(with: Data(lines[line].utf8))
                for key in path.split(separator: ".") {
                    guard let next = (object as? [String: Any])?[String(key)] else { return nil }
                    object = next
                }
                return object
            }
            #expect(try value(0, "flow.verdict") as? String == "FORWARDED")
            #expect(try value(0, "flow.l7.dns.query") as? String == "www.test.example.")
            #expect(try value(0, "flow.l7.dns.ips") as? [String] == ["192.0.2.7"])
            #expect(try value(0, "flow.l7.dns.cnames") as? [String] == ["api.test.example."])
            #expect(try value(0, "flow.l7.dns.rrtypes") as? [String] == ["CNAME", "A"])
            #expect(try value(0, "flow.source.labels") as? [String] == ["app=web"])
            #expect(try value(0, "flow.source.pod_name") as? String == "web")
            #expect(try Int(#require(value(0, "flow.l7.latency_ns") as? String)) ?? 0 > 0)
            #expect(try value(1, "flow.l7.dns.rcode") as? Int == 3)
            #expect(try value(1, "flow.l7.dns.qtypes") as? [String] == ["AAAA"])
            #expect(try value(0, "flow.dnsproxyd.outcome") as? String == "upstream")
            #expect(try Int(#require(value(0, "flow.dnsproxyd.upstream_ns") as? String)) ?? 0 > 0)
            #expect(try value(0, "flow.dnsproxyd.rule.policy") as? String == "shop/web")
            #expect(try value(0, "flow.dnsproxyd.rule.rule") as? String == #"matchPattern: "**.test.example""#)
            #expect(try value(2, "flow.dnsproxyd.reason") as? String == "no rule of shop/web allows it")
            #expect(try value(2, "flow.drop_reason_desc") as? String == "POLICY_DENIED")
            #expect(try value(5, "flow.l4.TCP.source_port") as? Int ?? 0 > 0)
        }

        @Test func `the verdict has colour at a terminal, and none in a pipe or with NO_COLOR`() throws {
            let stage = try Observing.stage()
            #expect(try stage.daemon.dig("ledger.local.example").status == "REFUSED")
            let line = "\(Daemon.program) observe --admin \(stage.daemon.adminSocket)"
            try eventually("no colour") { try terminal(line).output.contains("\u{1B}[31mDROPPED\u{1B}[0m REFUSED") }
            for plain in [try terminal(line + " | cat"), try terminal(line, environment: ["NO_COLOR": "1"])] {
                #expect(plain.output.contains(" DROPPED REFUSED ") && !plain.output.contains("\u{1B}"))
            }
        }

        @Test func `a parameter that makes no sense is named`() throws {
            let stage = try Observing.stage()
            let daemon = stage.daemon
            for (query, parameter) in [
                ("last=-1", "last"), ("last=x", "last"), ("since=5", "since"), ("follow=1", "follow"),
                ("verdict=DENIED", "verdict"), ("outcome=miss", "outcome"), ("name=a%20b", "name"),
                ("client=10.0.0.1/8", "client"), ("type=AAA", "type"), ("rcode=99", "rcode"), ("sort=x", "sort"),
                ("type=A&type=A", "type"), ("verdict=,", "verdict"), ("type=A,,AAAA", "type"),
                ("identity=,", "identity"), ("name=a,", "name"), ("not-rcode=99", "not-rcode"),
                ("not-verdict=,", "not-verdict"), ("not-since=5m", "not-since"),
            ] {
                let answer = try Observing.get(daemon, "/v1/flows?\(query)")
                #expect(answer.hasPrefix("HTTP/1.1 400"), "\(query): \(answer)")
                #expect(answer.contains("\"parameter\":\"\(parameter)\""), "\(query): \(answer)")
            }
            #expect(try Observing.get(daemon, "/v1/flows?identity=shop/nobody").hasPrefix("HTTP/1.1 404"))
            let failed = try daemon.command("observe", "--type", "AAA")
            #expect(failed.status == 64 && failed.errors.contains("expected a record type"))
            let wrong: [([String], String)] = [
                (["--not"], "--not"), (["--not", "--last", "5"], "--not stands before a filter"),
                (["--not", "--not", "--type", "A"], "--not stands before a filter"),
                (["--not", "--type"], "--type has no value"), (["A"], "unexpected argument 'A'"),
                (["--not", "--type", "A", "B"], "unexpected argument 'B'"),
                (["--identity", ""], "--identity has an empty value"),
                (["--not", "--type="], "--type has an empty value"),
            ]
            for (arguments, message) in wrong {
                let result = try run([Daemon.program, "observe", "--admin", daemon.adminSocket] + arguments)
                #expect(result.status == 64 && result.errors.contains(message), "\(arguments): \(result.errors)")
            }
        }

        @Test func `a follower that does not read misses flows and hears of it, and nobody waits for it`() throws {
            let stage = try Observing.stage("flows: {recent: 64, watchedRate: 1000000}")
            let (daemon, port) = (stage.daemon, stage.port)
            let stuck = try #require(try connectUnix(daemon.adminSocket))
            stuck.send(Array("GET /v1/flows?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            try eventually("nobody follows") { try Metrics(port: port).values["flow_readers"] == 1 }
            try eventually("it misses nothing") {
                _ = try DNSPerf(["api.test.example A", "ledger.local.example A"], port: daemon.port, seconds: 1).sent()
                return try Metrics(port: port).values["flows_lost_total{reason=\"rate\"}"] == 0
                    && Metrics(port: port).values["flows_noted_total"] ?? 0 > 2_000
            }
            // It reads at last: what was sent to it is followed by the news of what was not.
            stuck.setTimeout(.seconds(10))
            var text = ""
            while !text.contains("overtaken"), let bytes = stuck.receive() {
                text += String(decoding: bytes, as: UTF8.self)
            }
            #expect(text.contains(#"{"lost":{"count":"#) && text.contains(#""reason":"overtaken""#))
            #expect(try Metrics(port: port).values["flows_lost_total{reason=\"overtaken\"}"] ?? 0 > 0)
        }

        @Test func `whatever the cache answers meanwhile, who follows loses no denial`() throws {
            let stage = try Observing.stage("flows: {recent: 64, watchedRate: 100}")
            let (daemon, port) = (stage.daemon, stage.port)
            let stuck = try #require(try connectUnix(daemon.adminSocket))
            stuck.send(Array("GET /v1/flows?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            try eventually("nobody follows") { try Metrics(port: port).values["flow_readers"] == 1 }
            let load = try DNSPerf(["api.test.example A"], port: daemon.port, seconds: 2)
            // The bucket of hits is empty, and their ring has been filled.
            try eventually("no hit is left out") {
                try Metrics(port: port).values["flows_lost_total{reason=\"rate\"}"] ?? 0 > 100
            }
            for _ in 1...20 { #expect(try daemon.dig("ledger.local.example").status == "REFUSED") }
            _ = try load.sent()
            #expect(try Observing.lines(daemon, ["--verdict", "DROPPED", "--last", "100"]).count == 20)
        }

        @Test func `who follows what is dropped does not ask for what the cache answers`() throws {
            let stage = try Observing.stage()
            let (daemon, port) = (stage.daemon, stage.port)
            let follower = try RunningProcess([
                Daemon.program, "observe", "-f", "--verdict", "DROPPED", "--admin", daemon.adminSocket,
            ])
            defer { follower.signal(SIGTERM) }
            try eventually("nobody follows") { try Metrics(port: port).values["flow_readers"] == 1 }
            for _ in 1...5 { #expect(try daemon.dig("api.test.example").status == "NOERROR") }
            #expect(try daemon.dig("ledger.local.example").status == "REFUSED")
            try eventually("nothing comes: \(follower.errors)") { follower.output.contains("ledger.local.example.") }
            #expect(try Metrics(port: port).values["flows_noted_total"] == 2)
        }

        @Test func `more flows than the rate are counted, not noted`() throws {
            let stage = try Observing.stage("flows: {rate: 20}")
            let (daemon, port) = (stage.daemon, stage.port)
            let sent = try DNSPerf(["ledger.local.example A"], port: daemon.port, seconds: 1).sent()
            var metrics = try Metrics(port: port)
            try eventually("not all are counted: \(metrics.values)") {
                metrics = try Metrics(port: port)
                let lost = metrics.values["flows_lost_total{reason=\"rate\"}"] ?? 0
                return lost + (metrics.values["flows_noted_total"] ?? 0) == Double(sent)
            }
            #expect(metrics.values["flows_noted_total"] ?? 0 <= 500)
            #expect(try Observing.lines(daemon, ["--last", "5"]).count == 5)
        }

        @Test func `flows that are switched off say so`() throws {
            let stage = try Observing.stage("flows: none")
            let daemon = stage.daemon
            #expect(try daemon.dig("ledger.local.example").status == "REFUSED")
            let result = try daemon.command("observe")
            #expect(result.status == 1 && result.errors.contains("flows: none"))
        }

        /// The whole answer to a GET request over the admin socket.
        private static func get(_ daemon: Daemon, _ path: String) throws -> String {
            let socket = try #require(try connectUnix(daemon.adminSocket))
            socket.setTimeout(.seconds(5))
            socket.send(Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
            var answer: [UInt8] = []
            while let bytes = socket.receive() { answer += bytes }
            return String(decoding: answer, as: UTF8.self)
        }
    }
}
