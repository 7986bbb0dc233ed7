import Foundation
import Testing

extension EndToEnd {
    /// What the pages for operators name is there: commands with their options, metrics, keys of the configuration.
    @Suite struct NamedThings {
        /// The pages.
        private static let pages = ["docs/COMING-FROM.md", "docs/OPERATIONS.md"]

        /// The text of a page of the repository.
        private static func text(_ page: String) throws -> String {
            try String(contentsOfFile: "\(repositoryRoot)/\(page)", encoding: .utf8)
        }

        /// Everything between backticks in `text`, blocks of lines left out.
        private static func code(_ text: String) -> [String] {
            let prose = text.components(separatedBy: "\n```").enumerated().filter { $0.offset.isMultiple(of: 2) }
            return prose.flatMap { $0.element.matches(of: /`([^`\n]+)`/).map { String($0.output.1) } }
        }

        /// What stands in the columns called "here".
        private static func here(_ text: String) -> String {
            text.split(separator: "\n").filter { $0.hasPrefix("| ") }
                .compactMap { $0.dropLast().components(separatedBy: " | ").last }.joined(separator: "\n")
        }

        @Test(arguments: pages) func `every command and option that is named exists`(_ page: String) throws {
            let commands = try CommandTree.all()
            let named = try NamedThings.code(NamedThings.text(page)).filter { $0.hasPrefix("dnsproxyd ") }
            #expect(named.count > 5)
            for text in named {
                let line = text.components(separatedBy: " \\|")[0]
                let words = line.split(separator: " ").map(String.init)
                let command = try #require(commands.last { words.starts(with: $0.words) }, "\(text)")
                #expect(command.words.count > 1 && (command.command.subcommands ?? []).isEmpty, "\(text)")
                let options = (command.command.arguments ?? []).flatMap { $0.names ?? [] }.map(\.text)
                for word in words where word.hasPrefix("-") { #expect(options.contains(word), "\(text): \(word)") }
            }
        }

        @Test(arguments: pages) func `every metric that is named exists`(_ page: String) throws {
            let nsd = try NSD(zone: "host IN A 192.0.2.1")
            var setup = Setup(upstream: nsd.port)
            let port = try Ports.free()
            setup.metricsPort = port
            setup.extra = "metrics: {upstreamLabels: true}"
            let daemon = try Daemon(setup)
            _ = try daemon.dig("host.test.example")
            let existing = Set(try Metrics(port: port).values.keys.map { "dnsproxyd_" + $0.prefix { $0 != "{" } })
            // Histograms are named as a whole too.
            let families = existing.union(
                existing.filter { $0.hasSuffix("_bucket") }.map { String($0.dropLast("_bucket".count)) })
            let named = try NamedThings.text(page).matches(of: /dnsproxyd_[a-z_]+[a-z]/).map { String($0.output) }
            #expect(named.count > 5)
            for metric in Set(named) where !["dnsproxyd_hold", "dnsproxyd_feed", "dnsproxyd_cache"].contains(metric) {
                let isPattern = !families.contains(metric) && families.contains { $0.hasPrefix(metric + "_") }
                #expect(families.contains(metric) || isPattern, "\(metric)")
            }
        }

        /// Words between backticks that look like keys and are something else: of policies, values, programs.
        private static let others: Set = [
            "egressDeny", "toFQDNs", "rules.dns", "default", "always", "never", "sequential", "random", "verify",
            "lameduck", "jq", "refuse", "toPorts", "endpointSelector", "nft-enforcer", "identity", "learned",
            "resolv.conf",
        ]

        @Test(arguments: pages) func `every key that is named exists, with the value beside it`(_ page: String) throws {
            let text = try NamedThings.text(page)
            // In the tables of others' options only the last column is about keys of ours.
            let isTable = page == "docs/COMING-FROM.md"
            let code = NamedThings.code(isTable ? NamedThings.here(text) : text)
            var keys: [(path: String, value: String?)] = []
            for word in Set(code) where !NamedThings.others.contains(word) {
                guard let match = word.wholeMatch(of: /([a-z][A-Za-z]*(?:\[\])?(?:\.[a-zA-Z]+)*)(?:: (.+))?/) else {
                    continue
                }
                let path = String(match.output.1)
                // In prose a word without a dot can be anything.
                if isTable || path.contains(".") { keys.append((path, match.output.2.map(String.init))) }
            }
            #expect(keys.count > 10, "\(keys)")
            for key in keys { try NamedThings.check(key.path, key.value) }
        }

        /// Has the daemon read `path` with `value`, or with one that is as good as any for a key that is unknown.
        private static func check(_ path: String, _ value: String?) throws {
            let workspace = try Workspace()
            let yaml = path.split(separator: ".").reversed().reduce(value ?? "x") { inner, part in
                part.hasSuffix("[]") ? "{\(part.dropLast(2)): [\(inner)]}" : "{\(part): \(inner)}"
            }
            let file = try workspace.write("dnsproxyd.yaml", yaml + "\n")
            let result = try run([Daemon.program, "check", "-c", file])
            #expect(!result.errors.contains("unknown key"), "\(path): \(result.errors)")
            if value != nil, !path.contains("[]") { #expect(result.status == 0, "\(path): \(result.errors)") }
        }

        @Test func `the example of a configuration is one`() throws {
            let text = try NamedThings.text("docs/COMING-FROM.md")
            let blocks = text.components(separatedBy: "\n```yaml\n").dropFirst()
            #expect(!blocks.isEmpty)
            for block in blocks {
                let workspace = try Workspace()
                let yaml = block.components(separatedBy: "\n```")[0]
                let result = try run([
                    Daemon.program, "check", "-c", try workspace.write("dnsproxyd.yaml", yaml + "\n"),
                ])
                #expect(result.status == 0, "\(result.errors)")
            }
        }
    }
}
