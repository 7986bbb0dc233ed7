import Foundation
import Testing

extension EndToEnd {
    /// `Examples/grafana`: the dashboard and the alerts, under Debian's Prometheus.
    @Suite struct Monitoring {
        /// Where both are.
        private static let folder = "\(repositoryRoot)/Examples/grafana"

        /// What the tests read of the dashboard.
        private struct Dashboard: Decodable {
            /// A panel, or the title of a row of them.
            struct Panel: Decodable {
                /// A query of it.
                struct Target: Decodable {
                    /// What Prometheus is asked.
                    let expr: String
                }

                /// Its number.
                let id: Int
                /// Its title.
                let title: String
                /// What it is.
                let type: String
                /// Its queries; nil for a row.
                let targets: [Target]?
            }

            /// The panels.
            let panels: [Panel]

            /// The dashboard of the repository.
            static func read() throws -> Dashboard {
                let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/dashboard.json"))
                return try JSONDecoder().decode(Dashboard.self, from: data)
            }

            /// Every query with the title of its panel, the variables of Grafana filled in.
            var queries: [(title: String, expression: String)] {
                panels.flatMap { panel in
                    (panel.targets ?? []).map { target in
                        (
                            panel.title,
                            target.expr.replacing("$__rate_interval", with: "10s").replacing("$job", with: "dnsproxyd")
                                .replacing("$instance", with: ".*")
                        )
                    }
                }
            }
        }

        @Test func `every query of every panel has data under load, and no alert misfires`() throws {
            // What lives a second goes to the upstream, and to the enforcer, again and again.
            let nsd = try NSD(zone: "host IN A 192.0.2.1\n*.wild 1 IN A 192.0.2.2")
            var setup = Setup(upstream: nsd.port)
            setup.zone = Setup.localZone
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["**.test.example", "*.local.example"])]
            // On a machine that is busy an enforcer may take longer than a tenth of a second, which is an alert's business.
            setup.maxDelay = "10s"
            let metrics = try Ports.free()
            setup.metricsPort = metrics
            let daemon = try Daemon(setup)
            let enforcer = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try enforcer.waitForSnapshot()
            let prometheus = try Prometheus(target: metrics, rules: "\(Monitoring.folder)/alerts.yaml")
            let load = try DNSPerf(
                (0..<2_000).flatMap { index in
                    [
                        "host.test.example A", "new\(index).wild.test.example A", "other.example A",
                        "api.local.example A", "missing\(index % 9).test.example A",
                    ]
                }, port: daemon.port, seconds: 20)

            var missing = try Dashboard.read().queries
            #expect(missing.count > 50)
            try eventually("no data: \(missing)", within: .seconds(60)) {
                missing = try missing.filter { query in
                    try !prometheus.values(query.expression).contains { $0.isFinite }
                }
                return missing.isEmpty
            }
            #expect(try load.sent() > 0)

            var rules = try prometheus.rules()
            #expect(rules.count >= 14)
            for rule in rules { #expect(rule.health == "ok" && rule.state != "firing", "\(rule)") }
            // On a machine that is busy an attempt at the upstream may have been late, which is over with its next answer.
            try eventually("an alert is pending: \(rules)") {
                _ = try daemon.dig("new\(Int.random(in: 0..<1_000_000)).wild.test.example")
                rules = try prometheus.rules()
                return rules.allSatisfy { $0.state == "inactive" }
            }
            withExtendedLifetime(enforcer) {}
        }

        @Test func `the dashboard's panels have numbers of their own, titles and queries`() throws {
            let panels = try Dashboard.read().panels
            #expect(Set(panels.map(\.id)).count == panels.count)
            for panel in panels where panel.type != "row" {
                #expect(!panel.title.isEmpty && panel.targets?.isEmpty == false, "\(panel.id)")
            }
        }

        @Test func `each alert fires when it should and stays silent when it should`() throws {
            let check = try run(["promtool", "check", "rules", "\(Monitoring.folder)/alerts.yaml"])
            #expect(check.status == 0, "\(check.output)\(check.errors)")
            let test = try run(["promtool", "test", "rules", "\(Monitoring.folder)/alerts.test.yaml"])
            #expect(test.status == 0, "\(test.output)\(test.errors)")
            // None is without a test.
            let rules = try String(contentsOfFile: "\(Monitoring.folder)/alerts.yaml", encoding: .utf8)
            let tests = try String(contentsOfFile: "\(Monitoring.folder)/alerts.test.yaml", encoding: .utf8)
            let alerts = rules.matches(of: /- alert: (\w+)/).map { String($0.1) }
            #expect(alerts.count >= 14)
            for alert in alerts {
                for name in ["\(alert) fires", "\(alert) does not"] {
                    #expect(tests.contains("- name: \(name)\n"), "\(name)")
                }
            }
        }
    }
}
