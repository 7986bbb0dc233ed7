import Foundation
import Testing

extension EndToEnd {
    /// What a first visitor does: `make run`, and then the lines that it prints.
    @Suite struct Quickstart {
        /// The quickstart on a port and in a folder of its own, run by the script that `make run` runs.
        private final class Visit {
            /// The copy of the folder, and the state of the daemon.
            let workspace: Workspace
            /// Its port.
            let port: Int
            /// The script, which becomes the daemon.
            let process: RunningProcess

            /// Starts a copy of the quickstart with `extra` lines in its configuration.
            init(extra: String = "") throws {
                workspace = try Workspace()
                port = try Ports.free()
                let folder = "\(repositoryRoot)/Examples/quickstart"
                for file in try FileManager.default.subpathsOfDirectory(atPath: folder)
                where [".yaml", ".zone"].contains(where: file.hasSuffix) {
                    var text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
                    text = text.replacing("/tmp/dnsproxyd-quickstart", with: workspace.file("state"))
                    text = text.replacing("127.0.0.1:5355", with: "127.0.0.1:\(port)")
                    try workspace.write("quickstart/\(file)", file == "dnsproxyd.yaml" ? text + extra : text)
                }
                process = try RunningProcess([
                    "\(repositoryRoot)/scripts/quickstart", Daemon.program, workspace.file("quickstart"),
                ])
                let client = try DNSClient(port: port)
                try eventually("no answer: \(process.output) \(process.errors)") {
                    if let status = process.poll() { throw HarnessError("ended with \(status): \(process.errors)") }
                    return client.resolve("shop.example", 6, within: .milliseconds(50)) != nil
                }
            }

            /// The printed line that has `part` in it; lines of explanation begin with `#`.
            func line(_ part: String) throws -> String {
                let lines = process.output.split(separator: "\n").filter { !$0.hasPrefix("#") }
                guard let line = lines.first(where: { $0.contains(part) }) else {
                    throw HarnessError("\(part) is not among the printed lines:\n\(process.output)")
                }
                return String(line)
            }

            /// Runs the printed line that has `part` in it, as a shell has it.
            func type(_ part: String) throws -> Completed { try run(["sh", "-c", try line(part)]) }

            /// Runs a printed line with `dig` in it.
            func dig(_ part: String) throws -> DigAnswer { DigAnswer(try type(part).output) }
        }

        @Test func `the lines that make run prints do what they say`() throws {
            let visit = try Visit()
            let watch = try RunningProcess(["sh", "-c", "exec \(try visit.line("feed watch"))"])
            try eventually("no snapshot: \(watch.output) \(watch.errors)") { watch.output.contains("snapshot-end") }

            let allowed = try visit.dig("dig @127.0.0.1 -p \(visit.port) api.shop.example")
            #expect(allowed.status == "NOERROR", "\(allowed.text)")
            #expect(allowed.addresses == ["192.0.2.10", "192.0.2.11"])

            let denied = try visit.dig("dig @127.0.0.1 -p \(visit.port) ledger.shop.example")
            #expect(denied.status == "REFUSED")
            #expect(denied.extendedError == 15, "\(denied.text)")
            #expect(denied.records.isEmpty)

            let otherDenied = try visit.dig("dig -b 127.0.0.2 @127.0.0.1 -p \(visit.port) api.shop.example")
            #expect(otherDenied.status == "REFUSED")
            #expect(otherDenied.extendedError == 15)
            let otherAllowed = try visit.dig("dig -b 127.0.0.2 @127.0.0.1 -p \(visit.port) ledger.shop.example")
            #expect(otherAllowed.status == "NOERROR")
            #expect(otherAllowed.addresses == ["203.0.113.40"])

            let list = try visit.type("cache list")
            #expect(list.status == 0, "\(list.errors)")
            let mapping = try #require(list.lines.first { $0.contains("api.shop.example.") }, "\(list.output)")
            #expect(mapping.contains("shop/web") && mapping.contains("192.0.2.10"))
            let other = try #require(list.lines.first { $0.contains("ledger.shop.example.") }, "\(list.output)")
            #expect(other.contains("shop/batch") && other.contains("203.0.113.40"))

            let reason = try visit.type("policy explain")
            #expect(reason.status == 0, "\(reason.errors)")
            #expect(reason.output.contains("denied") && reason.output.contains("shop/batch"), "\(reason.output)")

            #expect(try visit.type("status").status == 0)
            try eventually("no upserts: \(watch.output)") {
                watch.output.contains("api.shop.example.") && watch.output.contains("ledger.shop.example.")
            }
            watch.signal(SIGINT)
            try watch.wait()
            let upsert = try #require(watch.output.split(separator: "\n").first { $0.contains("api.shop.example.") })
            #expect(upsert.contains(#""event":"upsert""#) && upsert.contains(#""client":"127.0.0.1""#))
            #expect(upsert.contains(#"{"port":443,"protocol":"TCP"}"#), "\(upsert)")

            // A TTL has whole seconds: after one and a bit it has gone down.
            usleep(1_200_000)
            let second = try visit.dig("dig @127.0.0.1 -p \(visit.port) api.shop.example")
            #expect(second.addresses == allowed.addresses)
            #expect(try #require(second.ttl) < (try #require(allowed.ttl)), "\(allowed.text)\n\(second.text)")

            visit.process.signal(SIGINT)
            #expect(try visit.process.wait() == 0)
        }

        @Test func `with an upstream the same file forwards what the policy allows`() throws {
            let nsd = try NSD(origin: "partner.example", zone: "api IN A 192.0.2.99\nother IN A 192.0.2.98")
            let visit = try Visit(extra: #"upstreams: [{servers: ["127.0.0.1:\#(nsd.port)"]}]"#)
            #expect(try dig("api.partner.example", port: visit.port).addresses == ["192.0.2.99"])
            #expect(try dig("other.partner.example", port: visit.port).status == "REFUSED")
            #expect(try dig("api.shop.example", port: visit.port).flags.contains("aa"))
        }

        @Test func `every type of local record is answered as the zone file has it`() throws {
            let visit = try Visit()
            #expect(try dig("api.shop.example AAAA", port: visit.port).addresses == ["2001:db8::10"])
            let alias = try dig("www.shop.example", port: visit.port)
            #expect(alias.data("CNAME") == ["api.shop.example."])
            #expect(alias.addresses == ["192.0.2.10", "192.0.2.11"])
            #expect(try dig("shop.example TXT", port: visit.port).data("TXT") == [#""a shop that sells nothing""#])
            let service = try dig("pay.shop.example HTTPS", port: visit.port).data("HTTPS")
            #expect(service.first?.contains("ipv4hint=192.0.2.30") == true, "\(service)")
            #expect(try dig("assets-9.shop.example", port: visit.port).status == "NXDOMAIN")
            let noData = try dig("assets-1.shop.example AAAA", port: visit.port)
            #expect(noData.status == "NOERROR" && noData.records.isEmpty)
        }
    }
}
