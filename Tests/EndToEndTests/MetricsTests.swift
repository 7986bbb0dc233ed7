import Foundation
import Testing

extension EndToEnd {
    /// The figures that Prometheus reads.
    @Suite struct MetricsPages {
        /// A policy under which some names are denied, in two editions.
        private static func policies(_ edition: Int) -> [String: String] {
            [
                "web.yaml": Setup.policy(
                    "web", dns: ["*.test.example", "*.local.example", "edition\(edition)"],
                    learn: ["*.learned.test.example"])
            ]
        }

        /// A daemon behind which `nsd` knows every name but those under `missing`, and the port of its metrics.
        private static func daemon(upstream nsd: NSD) throws -> (Daemon, metrics: Int) {
            var setup = Setup(upstream: nsd.port)
            setup.zone = Setup.localZone
            setup.policies = policies(0)
            setup.extra = "cache: {size: 1MiB}"
            let port = try Ports.free()
            setup.metricsPort = port
            let daemon = try Daemon(setup)
            try eventually("no metrics") { (try? Metrics(port: port)) != nil }
            return (daemon, port)
        }

        /// Names that are cached, learned, missing, denied, local and new, mixed.
        private static let questions: [String] = (0..<3_000).map { index in
            switch index % 8 {
            case 0, 1: "host\(index % 20).test.example A"
            case 2: "name\(index % 60).learned.test.example A"
            case 3: "nothing\(index % 30).missing.test.example AAAA"
            case 4: "other\(index % 10).example A"
            case 5: "api.local.example A"
            case 6: "new\(index).test.example TXT"
            default: "host.test.example ANY"
            }
        }

        /// Puts the daemon under load over both transports, reloading meanwhile, and holds what it has counted against
        /// what was sent.
        private static func checkSums(_ daemon: Daemon, _ port: Int) throws {
            let datagrams = try DNSPerf(questions, port: daemon.port, seconds: 3)
            let connections = try DNSPerf(questions, port: daemon.port, transport: "tcp", seconds: 3)
            for edition in 1...8 {
                for (name, text) in policies(edition) { try daemon.workspace.write("policies/\(name)", text) }
                daemon.process.signal(SIGHUP)
                usleep(250_000)
            }
            let sent = (udp: try datagrams.sent(), tcp: try connections.sent())
            var metrics = try Metrics(port: port)
            try eventually("queries wait for ever: \(metrics.values)") {
                metrics = try Metrics(port: port)
                return metrics.sum("outcomes_total") == Double(sent.udp + sent.tcp)
            }
            #expect(metrics.sum("queries_waiting") == 0)
            #expect(metrics.values["queries_total{transport=\"udp\"}"] == Double(sent.udp))
            #expect(metrics.values["queries_total{transport=\"tcp\"}"] == Double(sent.tcp))
            #expect(metrics.sum("responses_total") == Double(sent.udp + sent.tcp))
            #expect(metrics.values["request_duration_seconds_count"] == Double(sent.udp + sent.tcp))
            for outcome in ["hit", "upstream", "local", "denied"] {
                #expect(metrics.values["outcomes_total{outcome=\"\(outcome)\"}"] ?? 0 > 0, "\(outcome)")
            }
            #expect(
                metrics.values["outcomes_total{outcome=\"denied\"}"]
                    == metrics.values["verdicts_total{verdict=\"denied\"}"])
            #expect(metrics.values["upstream_duration_seconds_count"] ?? 0 > 0)
            #expect(metrics.values["policy_reloads_total{result=\"success\"}"] ?? 0 > 1)
        }

        @Test func `outcomes add up to what was sent, under load and reloads, and again after a restart`() throws {
            let nsd = try NSD(
                zone: "* IN A 192.0.2.1\n* IN TXT \"a\"\nmissing IN A 192.0.2.9\n*.learned IN A 192.0.2.2")
            let (daemon, port) = try MetricsPages.daemon(upstream: nsd)
            try MetricsPages.checkSums(daemon, port)
            daemon.process.signal(SIGKILL)
            try daemon.restart()
            try eventually("no metrics") { (try? Metrics(port: port)) != nil }
            try MetricsPages.checkSums(daemon, port)
        }

        @Test func `in every scrape under load the queries are those that have ended and those that wait`() throws {
            // What is not cached is asked again and again, of both workers at once, so that they pass queries on.
            let zone = (0..<8).map { "name\($0) 0 IN A 192.0.2.1" }.joined(separator: "\n")
            let nsd = try NSD(zone: "\(zone)\nhost IN A 192.0.2.2")
            let (daemon, port) = try MetricsPages.daemon(upstream: nsd)
            let questions = (0..<64).map { $0 % 8 == 7 ? "host.test.example A" : "name\($0 / 8).test.example A" }
            let loads = try ["udp", "tcp"].map {
                try DNSPerf(questions, port: daemon.port, transport: $0, seconds: 4)
            }
            var waiting = 0.0
            var last = 0.0
            for _ in 1...200 {
                let metrics = try Metrics(port: port)
                let queries = metrics.sum("queries_total")
                #expect(queries == metrics.sum("outcomes_total") + metrics.sum("queries_waiting"))
                #expect(queries >= last && metrics.values.allSatisfy { $0.value >= 0 })
                waiting += metrics.sum("queries_waiting")
                last = queries
            }
            #expect(waiting > 0)
            let sent = try loads.reduce(0) { try $0 + $1.sent() }
            try eventually("queries wait for ever") { try Metrics(port: port).sum("outcomes_total") == Double(sent) }
            let metrics = try Metrics(port: port)
            #expect(metrics.sum("queries_waiting") == 0 && metrics.sum("queries_total") == Double(sent))
            #expect(metrics.sum("queries_steered_total") > 0)
        }

        @Test func `queries that wait are counted as waiting, and end as what became of them`() throws {
            let server = try ScriptedServer { _ in [] }
            defer { server.stop() }
            var setup = Setup(upstream: server.port)
            let port = try Ports.free()
            setup.metricsPort = port
            let daemon = try Daemon(setup)
            let client = try daemon.client()
            for _ in 1...3 { client.ask("slow.test.example") }
            try eventually("nothing waits") {
                try Metrics(port: port).values["queries_waiting{for=\"upstream\"}"] == 3
            }
            #expect(try Metrics(port: port).sum("outcomes_total") == 0)
            for _ in 1...3 { _ = try #require(client.answer(within: .seconds(15))) }
            try eventually("nothing ends") {
                try Metrics(port: port).values["outcomes_total{outcome=\"failed\"}"] == 3
            }
            let metrics = try Metrics(port: port)
            #expect(metrics.sum("outcomes_total") == 3 && metrics.sum("queries_waiting") == 0)
            #expect(metrics.values["request_duration_seconds_bucket{le=\"0.5\"}"] == 0)
        }

        @Test(arguments: [false, true])
        func `upstreams are counted by state, and named only where that is switched on`(isLabelled: Bool) throws {
            let nsd = try NSD(zone: "* IN A 192.0.2.1")
            let server = try ScriptedServer { _ in [] }
            defer { server.stop() }
            var setup = Setup(upstream: nsd.port)
            setup.upstreams.append(#"{domains: [silent.example], servers: ["127.0.0.1:\#(server.port)"]}"#)
            let port = try Ports.free()
            setup.metricsPort = port
            if isLabelled { setup.extra = "metrics: {upstreamLabels: true}" }
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("host.test.example").status == "NOERROR")
            try daemon.client().ask("host.silent.example")
            try eventually("the silent server is not found out") {
                try Metrics(port: port).values["upstreams{state=\"down\"}"] == 1
            }
            let metrics = try Metrics(port: port)
            #expect(metrics.values["upstreams{state=\"up\"}"] == 1)
            let text = try Metrics.text(port: port)
            let labels = [("silent.example.", server.port, 0.0), ("", nsd.port, 1)]
            for (domains, port, isUp) in labels {
                let key = "upstream_up{server=\"127.0.0.1:\(port)\",domains=\"\(domains)\"}"
                #expect(metrics.values[key] == (isLabelled ? isUp : nil), "\(text)")
            }
            #expect(text.contains("upstream_round_trip_seconds{") == isLabelled)
            #expect(isLabelled || (!text.contains("127.0.0.1") && !text.contains("silent.example")))
        }

        @Test func `a reply that its mapping comes too late for is counted as that, with the time that it waited`()
            throws
        {
            let nsd = try NSD(zone: "* IN A 192.0.2.1")
            var setup = Setup(upstream: nsd.port)
            setup.policies = ["web.yaml": Setup.policy("web")]
            let port = try Ports.free()
            setup.metricsPort = port
            setup.maxDelay = "300ms, onDelay: servfail, requireEnforcer: true"
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("api.test.example").status == "SERVFAIL")
            try eventually("it is not counted") {
                try Metrics(port: port).values["outcomes_total{outcome=\"unacknowledged\"}"] == 1
            }
            let metrics = try Metrics(port: port)
            #expect(metrics.sum("outcomes_total") == 1)
            #expect(metrics.values["hold_duration_seconds_count"] == 1)
            #expect(metrics.values["hold_duration_seconds_bucket{le=\"0.25\"}"] == 0)
            #expect(metrics.values["hold_duration_seconds_sum"] ?? 0 >= 0.3)
        }

        @Test func `promtool and the parser of OpenMetrics have nothing to say against the page`() throws {
            let nsd = try NSD(zone: "* IN A 192.0.2.1")
            let (daemon, port) = try MetricsPages.daemon(upstream: nsd)
            #expect(try daemon.dig("host.test.example").status == "NOERROR")
            let workspace = try Workspace()
            let plain = try workspace.write("plain", Metrics.text(port: port))
            let checked = try run(["sh", "-c", "promtool check metrics <\(plain)"])
            #expect(checked.status == 0 && checked.errors.isEmpty && checked.output.isEmpty, "\(checked)")

            let text = try Metrics.text(
                port: port, accept: "application/openmetrics-text; version=1.0.0, text/plain;q=0.5")
            let open = try workspace.write("open", text)
            let parser = """
                import sys
                from prometheus_client.openmetrics.parser import text_fd_to_metric_families
                families = list(text_fd_to_metric_families(open(sys.argv[1])))
                print(len(families), sum(family.type == "histogram" for family in families))
                """
            let parsed = try run(["python3", "-c", parser, open])
            #expect(parsed.status == 0, "\(parsed)")
            let counts = parsed.output.split(separator: " ").compactMap { Int($0.filter(\.isNumber)) }
            #expect(counts.count == 2 && counts[0] > 60 && counts[1] == 3, "\(parsed.output)")
        }

        @Test func `the figures of the process are those of the kernel`() throws {
            let (daemon, port) = try MetricsPages.daemon(upstream: NSD(zone: "* IN A 192.0.2.1"))
            func values() throws -> [String: Double] {
                try Metrics.text(port: port).split(separator: "\n").reduce(into: [:]) { values, line in
                    let words = line.split(separator: " ")
                    if words.count == 2, words[0].hasPrefix("process_") { values[String(words[0])] = Double(words[1]) }
                }
            }
            let first = try values()
            let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.process.pid)/fd")
                .count
            #expect(abs((first["process_open_fds"] ?? 0) - Double(descriptors)) <= 3)
            #expect(first["process_max_fds"] ?? 0 >= 1_024)
            #expect(first["process_resident_memory_bytes"] ?? 0 > 1e6)
            #expect(first["process_virtual_memory_bytes"] ?? 0 > first["process_resident_memory_bytes"] ?? 0)
            #expect(abs((first["process_start_time_seconds"] ?? 0) - Date.now.timeIntervalSince1970) < 60)
            try eventually("no CPU time is spent") {
                try values()["process_cpu_seconds_total"] ?? 0 > first["process_cpu_seconds_total"] ?? 0
            }
        }
    }
}
