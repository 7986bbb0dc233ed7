import Foundation
import Testing

extension EndToEnd {
    /// `check` finds everything that `serve` would find, before anybody depends on it.
    @Suite struct Check {
        @Test func `good documents end with 0 and a summary`() throws {
            let workspace = try Workspace()
            var setup = Setup()
            setup.policies = ["web.yaml": Setup.policy("web")]
            setup.zone = Setup.localZone
            let file = try setup.write(to: workspace, port: 5_355)
            let result = try run([Daemon.program, "check", "-c", file])
            #expect(result.status == 0, "\(result.errors)")
            #expect(!result.output.isEmpty)
            // It only reads: nothing was created.
            #expect((try? workspace.read("journal/journal.jsonl")) == nil)
            // The quickstart of the repository too.
            let quickstart = try run([
                Daemon.program, "check", "-c", "\(repositoryRoot)/Examples/quickstart/dnsproxyd.yaml",
            ])
            #expect(quickstart.status == 0, "\(quickstart.errors)")
        }

        @Test func `what is probably not meant is a warning with its place, and no error`() throws {
            let workspace = try Workspace()
            var setup = Setup()
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["*.com", "api.example"])]
            let file = try setup.write(to: workspace, port: 5_355)
            let result = try run([Daemon.program, "check", "-c", file])
            #expect(result.status == 0, "\(result.errors)")
            #expect(
                result.errors.split(separator: "\n").contains {
                    $0.contains("web.yaml:") && $0.contains("warning") && $0.contains("*.com")
                }, "\(result.errors)")
        }

        @Test func `all errors of several bad files are named by file, line, column and key`() throws {
            let workspace = try Workspace()
            var setup = Setup()
            setup.policies = [
                "web.yaml": Setup.policy("web", dns: ["a.example", "b*_!.example"]),
                "batch.yaml": Setup.policy("batch").replacing("ports:", with: "prots:"),
            ]
            setup.identities = """
                  - {name: web, namespace: shop, addresses: [127.0.0.300]}
                  - {name: batch, namespace: shop, adresses: [127.0.0.2]}
                """
            setup.zone = Setup.localZone.replacing("192.0.2.20", with: "192.0.2.400")
            let file = try setup.write(to: workspace, port: 5_355)
            let expected = [
                "policies/web.yaml:9:", "policies/batch.yaml:8:", "identities.yaml:2:", "identities.yaml:3:",
                "local.zone:7",
            ]
            for command in ["check", "serve"] {
                let result = try run([Daemon.program, command, "-c", file])
                #expect(result.status == 65, "\(result.errors)")
                for place in expected {
                    #expect(result.errors.contains(place), "\(command), \(place): \(result.errors)")
                }
                for key in ["spec.egress[0].toPorts[0].rules.dns[1].matchPattern", "identities[0].addresses[0]"] {
                    #expect(result.errors.contains(key), "\(command), \(key): \(result.errors)")
                }
            }
        }

        @Test func `all errors of the configuration file are named at once`() throws {
            let workspace = try Workspace()
            let file = try workspace.write(
                "dnsproxyd.yaml",
                """
                listen: ["127.0.0.1:99999"]
                workers: many
                enforcment: default
                cache: {size: 64MiB, minTTL: soon}
                feed: {maxDelay: 100ms, onDelay: wait}
                upstreams:
                  - servers: ["not an address"]

                """)
            let result = try run([Daemon.program, "check", "-c", file])
            #expect(result.status == 65, "\(result.errors)")
            for (place, key) in [
                ("1:", "listen[0]"), ("2:", "workers"), ("3:1:", "enforcment"), ("4:", "cache.minTTL"),
                ("5:", "feed.onDelay"), ("7:", "upstreams[0].servers[0]"),
            ] {
                #expect(
                    result.errors.split(separator: "\n").contains {
                        $0.contains("dnsproxyd.yaml:\(place)") && $0.contains(key)
                    },
                    "\(place) \(key): \(result.errors)")
            }
        }

        @Test func `a file that is missing or is no YAML is named`() throws {
            let workspace = try Workspace()
            let missing = try run([Daemon.program, "check", "-c", workspace.file("none.yaml")])
            #expect(missing.status == 65 && missing.errors.contains("none.yaml"), "\(missing.errors)")
            let broken = try workspace.write("broken.yaml", "listen: [\"127.0.0.1:53\"\nworkers: {\n")
            let result = try run([Daemon.program, "check", "-c", broken])
            #expect(result.status == 65 && result.errors.contains("broken.yaml:"), "\(result.errors)")
        }

        @Test func `-o json has every problem with its place, and the exit status stays what it is`() throws {
            /// What `check -o json` prints.
            struct Report: Decodable {
                /// A problem.
                struct Problem: Decodable, Equatable {
                    let severity, file, path, message: String
                    let line, column: Int
                }
                let file: String
                let valid: Bool
                let problems: [Problem]
            }
            let workspace = try Workspace()
            var setup = Setup()
            for (policy, isValid) in [
                (Setup.policy("web", dns: ["*.com"]), true), (Setup.policy("web", dns: ["b!"]), false),
            ] {
                setup.policies = ["web.yaml": policy]
                let file = try setup.write(to: workspace, port: 5_355)
                let result = try run([Daemon.program, "check", "-c", file, "-o", "json"])
                #expect(result.status == (isValid ? 0 : 65), "\(result.errors)")
                let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
                #expect(report.file == file && report.valid == isValid)
                let problem = try #require(report.problems.first { $0.severity == (isValid ? "warning" : "error") })
                #expect(problem.file == workspace.file("policies/web.yaml") && problem.line == 9 && problem.column > 1)
                #expect(problem.path == "spec.egress[0].toPorts[0].rules.dns[0].matchPattern", "\(problem)")
                let yaml = try run([Daemon.program, "check", "-c", file, "-o", "yaml"])
                #expect(yaml.output.contains("valid: \(isValid)"), "\(yaml.output)")
            }
        }
    }
}
