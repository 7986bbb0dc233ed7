import Foundation
import Testing

extension EndToEnd {
    /// New documents are in force as a whole, or not at all.
    @Suite struct Reloads {
        /// A policy that allows only these names.
        private static func only(_ names: String...) -> String { Setup.policy("web", dns: names, learn: names) }

        /// A daemon that allows only `one.test.example`.
        private static func daemon(_ nsd: NSD) throws -> Daemon {
            var setup = Setup(upstream: nsd.port)
            setup.policies = ["web.yaml": only("one.test.example")]
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("one.test.example").status == "NOERROR")
            #expect(try daemon.dig("two.test.example").status == "REFUSED")
            return daemon
        }

        /// What the upstream knows.
        private static let zone = "one IN A 192.0.2.1\ntwo IN A 192.0.2.2"

        @Test func `a changed policy file is in force without a signal`() throws {
            let nsd = try NSD(zone: Reloads.zone)
            let daemon = try Reloads.daemon(nsd)
            try daemon.workspace.write("policies/web.yaml", Reloads.only("two.test.example"))
            try eventually("the change is not noticed: \(daemon.process.errors)") {
                try daemon.dig("two.test.example").status == "NOERROR"
            }
            // The cached answer of before opens nothing.
            #expect(try daemon.dig("one.test.example").status == "REFUSED")
        }

        @Test func `what an identity has learned goes with it, also where everything is learned`() throws {
            for scope in ["selected", "all"] {
                let nsd = try NSD(zone: Reloads.zone)
                var setup = Setup(upstream: nsd.port)
                setup.policies = ["web.yaml": Reloads.only("one.test.example")]
                setup.extra = "learning: {scope: \(scope)}"
                let daemon = try Daemon(setup)
                #expect(try daemon.dig("one.test.example").addresses == ["192.0.2.1"])
                #expect(try daemon.mappings().map(\.fqdn) == ["one.test.example."])
                try daemon.workspace.write(
                    "identities.yaml", "identities:\n  - {name: other, namespace: shop, addresses: [127.0.0.9]}\n")
                try eventually("scope \(scope): the mapping stays") { try daemon.mappings().isEmpty }
            }
        }

        @Test func `a new, a changed and a removed file in the folder are noticed`() throws {
            let nsd = try NSD(zone: Reloads.zone)
            let daemon = try Reloads.daemon(nsd)
            try daemon.workspace.write(
                "policies/more.yaml", Setup.policy("web", name: "more", dns: ["two.test.example"]))
            try eventually("the new file is not noticed: \(daemon.process.errors)") {
                try daemon.dig("two.test.example").status == "NOERROR"
            }
            #expect(try daemon.dig("one.test.example").status == "NOERROR")
            try FileManager.default.removeItem(atPath: daemon.workspace.file("policies/more.yaml"))
            try eventually("the removal is not noticed") { try daemon.dig("two.test.example").status == "REFUSED" }
            #expect(try daemon.dig("one.test.example").status == "NOERROR")
        }

        @Test(arguments: ["written in place", "renamed over", "a ConfigMap"])
        func `a change is noticed however it is made`(_ way: String) throws {
            let nsd = try NSD(zone: Reloads.zone)
            let workspace = try Workspace()
            let folder = workspace.file("mounted")
            /// Makes `text` what is mounted, in the way that is tried.
            func mount(_ text: String, version: Int) throws {
                switch way {
                case "written in place":
                    try workspace.write("mounted/web.yaml", "")
                    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/web.yaml"))
                case "renamed over":
                    try workspace.write("mounted/.web.yaml.swp", text)
                    #expect(rename("\(folder)/.web.yaml.swp", "\(folder)/web.yaml") == 0)
                default:
                    // As the kubelet does it: a folder for each version, and a link that is switched.
                    try workspace.write("mounted/..\(version)/web.yaml", text)
                    #expect(symlink("..\(version)", "\(folder)/..data_tmp") == 0)
                    #expect(rename("\(folder)/..data_tmp", "\(folder)/..data") == 0)
                    if version == 1 { #expect(symlink("..data/web.yaml", "\(folder)/web.yaml") == 0) }
                    if version > 1 { try FileManager.default.removeItem(atPath: "\(folder)/..\(version - 1)") }
                }
            }
            try mount(Reloads.only("one.test.example"), version: 1)
            var setup = Setup(upstream: nsd.port)
            setup.policyFolder = folder
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("one.test.example").status == "NOERROR")
            #expect(try daemon.dig("two.test.example").status == "REFUSED")
            try mount(Reloads.only("two.test.example"), version: 2)
            try eventually("the change is not noticed: \(daemon.process.errors)") {
                try daemon.dig("two.test.example").status == "NOERROR"
            }
            #expect(try daemon.dig("one.test.example").status == "REFUSED")
        }

        @Test func `SIGHUP reads everything again`() throws {
            let nsd = try NSD(zone: Reloads.zone)
            let daemon = try Reloads.daemon(nsd)
            let before = try #require(try daemon.status()).policy.generation
            try daemon.workspace.write("policies/web.yaml", Reloads.only("two.test.example"))
            daemon.process.signal(SIGHUP)
            try eventually("no new snapshot") { try daemon.status()?.policy.generation ?? 0 > before }
            #expect(try daemon.dig("two.test.example").status == "NOERROR")
            #expect(daemon.process.poll() == nil)
        }

        @Test func `a bad document changes nothing and is named by file, line and column`() throws {
            let nsd = try NSD(zone: Reloads.zone)
            let daemon = try Reloads.daemon(nsd)
            let before = try #require(try daemon.status()).policy.generation
            // One good change and one bad file: neither is taken.
            try daemon.workspace.write("policies/web.yaml", Reloads.only("two.test.example"))
            try daemon.workspace.write(
                "policies/bad.yaml", Setup.policy("batch").replacing("ports:", with: "prots:"))
            daemon.process.signal(SIGHUP)
            try eventually("the bad file is not reported") { try daemon.status()?.policy.problems.isEmpty == false }
            let status = try #require(try daemon.status())
            #expect(status.policy.generation == before)
            #expect(status.policy.problems.contains { $0.contains("bad.yaml:8:") }, "\(status.policy.problems)")
            #expect(daemon.process.errors.contains("bad.yaml:8:"), "\(daemon.process.errors)")
            #expect(try daemon.dig("one.test.example").status == "NOERROR")
            #expect(try daemon.dig("two.test.example").status == "REFUSED")
            // Mended, everything is in force.
            try FileManager.default.removeItem(atPath: daemon.workspace.file("policies/bad.yaml"))
            daemon.process.signal(SIGHUP)
            try eventually("the mended folder is not taken") {
                try daemon.dig("two.test.example").status == "NOERROR"
            }
            #expect(try daemon.status()?.policy.problems == [])
        }

        @Test func `changed identities and local records are in force after a reload`() throws {
            var setup = Setup()
            setup.policies = ["web.yaml": Reloads.only("*.local.example")]
            setup.zone = Setup.localZone
            let daemon = try Daemon(setup)
            #expect(try daemon.dig("api.local.example").addresses == ["192.0.2.10"])
            #expect(try daemon.dig("api.local.example", source: "127.0.0.9").extendedError == 18)
            try daemon.workspace.write("local.zone", Setup.localZone.replacing("192.0.2.10", with: "192.0.2.11"))
            try daemon.workspace.write(
                "identities.yaml",
                "identities:\n  - {name: web, namespace: shop, labels: {app: web}, addresses: [127.0.0.9]}\n")
            daemon.process.signal(SIGHUP)
            try eventually("the identities are not taken") {
                try daemon.dig("api.local.example", source: "127.0.0.9").status == "NOERROR"
            }
            #expect(try daemon.dig("api.local.example", source: "127.0.0.9").addresses == ["192.0.2.11"])
            #expect(try daemon.dig("api.local.example").extendedError == 18)
        }
    }
}
