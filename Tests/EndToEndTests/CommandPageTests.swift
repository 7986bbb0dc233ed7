import Foundation
import Testing

extension EndToEnd {
    /// `docs/COMMANDS.md` and the program say the same.
    @Suite struct CommandPage {
        /// The text below the heading of each command.
        private static func sections() throws -> [String: String] {
            let page = try String(contentsOfFile: "\(repositoryRoot)/docs/COMMANDS.md", encoding: .utf8)
            return page.components(separatedBy: "\n## ").dropFirst().reduce(into: [:]) { sections, text in
                let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
                sections[String(lines[0])] = lines.count > 1 ? String(lines[1]) : ""
            }
        }

        /// The first cells of the tables in `text`: what is described there, without backticks.
        private static func described(_ text: String) -> Set<String> {
            let cells = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap {
                $0.split(separator: "|").first
            }
            return Set(cells.flatMap { $0.matches(of: /`([^`]+)`/).map { String($0.output.1) } })
        }

        @Test func `every command and every option of it is described, and nothing that is not there`() throws {
            let sections = try CommandPage.sections()
            let leaves = try CommandTree.all().filter { ($0.command.subcommands ?? []).isEmpty }
            #expect(
                Set(leaves.map { $0.words.joined(separator: " ") })
                    == Set(sections.keys.filter { $0.hasPrefix("dnsproxyd ") }))
            for (words, command) in leaves {
                let section = try #require(sections[words.joined(separator: " ")], "\(words)")
                let tables = section.components(separatedBy: "\n| option |").dropFirst().joined()
                let options = tables.components(separatedBy: "\n\n").first ?? ""
                let expected = (command.arguments ?? []).filter(\.shouldDisplay).flatMap { argument in
                    argument.kind == "positional" ? [argument.valueName] : (argument.names ?? []).map(\.text)
                }
                #expect(
                    CommandPage.described(options) == Set(expected).subtracting(["--version", "-h", "--help"]),
                    "\(words)")
            }
        }

        /// The key paths of a JSON document, lists left out; below `opaque` nothing is looked at.
        private static func keys(_ value: Any, opaque: Set<String>, at path: String = "") -> Set<String> {
            if let list = value as? [Any] {
                return list.reduce(into: []) { $0.formUnion(keys($1, opaque: opaque, at: path)) }
            }
            guard let object = value as? [String: Any], !opaque.contains(path) else { return [path] }
            return object.reduce(into: []) { result, entry in
                result.formUnion(
                    keys(entry.value, opaque: opaque, at: path.isEmpty ? entry.key : "\(path).\(entry.key)"))
            }
        }

        @Test func `every field of every output is described, in JSON and in YAML alike`() throws {
            let nsd = try NSD(zone: "api IN A 192.0.2.10")
            var setup = Setup(upstream: nsd.port)
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["*.test.example"])]
            let daemon = try Daemon(setup)
            let subscriber = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try subscriber.waitForSnapshot()
            #expect(try daemon.dig("api.test.example").addresses == ["192.0.2.10"])
            try daemon.workspace.write("bad.yaml", "policies: [none/]\n")
            let sections = try CommandPage.sections()
            let opaque: Set = ["counters", "labels", "details"]
            for (words, arguments) in [
                ("status", ""), ("cache list", ""), ("cache list", "--answers"),
                ("policy explain", "--client 127.0.0.1 api.test.example"), ("policy list", ""),
                ("policy suggest", "-e shop/web"), ("identity list", ""), ("cache clean", "--mappings -f"),
                ("check", "-c \(daemon.workspace.file("bad.yaml"))"),
            ] {
                let admin = words == "check" ? "" : "--admin \(daemon.adminSocket)"
                let command = [Daemon.program] + "\(words) \(arguments) \(admin)".split(separator: " ").map(String.init)
                let described = CommandPage.described(try #require(sections["dnsproxyd \(words)"]))
                let json = try run(command + ["-o", "json"])
                let keys = CommandPage.keys(
                    try JSONSerialization.jsonObject(with: Data(json.output.utf8)), opaque: opaque)
                #expect(keys.count > 1 && keys.isSubset(of: described), "\(words): \(keys.subtracting(described))")
                let yaml = try run(command + ["-o", "yaml"])
                #expect(yaml.status == json.status, "\(words): \(yaml.errors)")
                for key in keys.compactMap({ $0.split(separator: ".").last }) {
                    #expect(yaml.output.contains("\(key):"), "\(words): \(key) is not in\n\(yaml.output)")
                }
            }
        }
    }
}
