import Foundation
import Testing

extension EndToEnd {
    /// The admin socket as any HTTP client has it: what it refuses, and what it costs.
    @Suite struct Admin {
        /// A daemon under policies for `shop/web` and `shop/batch`.
        private static func daemon(_ setup: Setup = Setup()) throws -> Daemon {
            var setup = setup
            setup.zone = Setup.localZone
            setup.policies = ["web.yaml": Setup.policy("web"), "batch.yaml": Setup.policy("batch")]
            return try Daemon(setup)
        }

        @Test func `unknown requests are 404 in JSON`() throws {
            let daemon = try Admin.daemon()
            for request in [
                "GET /", "GET /v1", "GET /v1/nothing", "GET /v2/status", "GET /metrics", "POST /v1/status",
                "DELETE /v1/identities", "GET /v1/reload", "PUT /v1/mappings", "GET /v1/status/../status",
            ] {
                let answer = try daemon.admin(request)
                #expect(answer.status == 404, "\(request)")
                #expect(answer.headers["content-type"] == "application/json", "\(request)")
                #expect(try answer.object()["error"] as? String == "there is no \(request) here")
            }
        }

        @Test(arguments: [
            ("GET /v1/status?verbose=1", "verbose"), ("GET /v1/mappings?patern=*", "patern"),
            ("GET /v1/mappings?pattern=a%20b", "pattern"), ("GET /v1/mappings?pattern=a&pattern=b", "pattern"),
            ("DELETE /v1/mappings?pattern=%FF", "pattern"), ("GET /v1/answers?identity=1", "identity"),
            ("DELETE /v1/answers?pattern=a..b", "pattern"), ("GET /v1/policy/explain?name=a.example", "client"),
            ("GET /v1/policy/explain?client=1.2.3&name=a.example", "client"),
            ("GET /v1/policy/explain?client=192.0.2.1", "name"),
            ("GET /v1/policy/explain?client=192.0.2.1&name=a.example&type=NONE", "type"),
            ("GET /v1/policy/explain?client=192.0.2.1&name=a.example&transport=ICMP", "transport"),
            ("GET /v1/policy/suggestion", "identity"), ("GET /v1/identities?id=1", "id"),
            ("POST /v1/reload?force=true", "force"),
        ])
        func `a bad parameter is 400 and named`(request: String, parameter: String) throws {
            let answer = try Admin.daemon().admin(request)
            #expect(answer.status == 400, "\(answer.text)")
            let object = try answer.object()
            #expect(object["parameter"] as? String == parameter, "\(answer.text)")
            #expect((object["error"] as? String)?.contains(parameter) == true, "\(answer.text)")
        }

        @Test func `an identity that does not exist is 404 and named`() throws {
            let daemon = try Admin.daemon()
            for path in ["/v1/mappings", "/v1/policy/rules", "/v1/policy/suggestion"] {
                let answer = try daemon.admin("GET \(path)?identity=shop/nobody")
                #expect(answer.status == 404, "\(path)")
                #expect(try answer.object()["parameter"] as? String == "identity", "\(path)")
            }
        }

        @Test func `a list of 60,000 mappings costs no memory, and who does not read it is disconnected`() throws {
            let daemon = try Admin.daemon()
            let count = 60_000
            try Admin.multiply(to: count, in: daemon)

            // One reads, and gets all of it.
            let before = try daemon.residentMemory()
            let socket = try #require(try connectUnix(daemon.adminSocket))
            socket.setTimeout(.seconds(20))
            let request = Array("GET /v1/mappings HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
            socket.send(request)
            var (bytes, lines, most) = (0, 0, before)
            while let part = socket.receive() {
                if bytes >> 21 != (bytes + part.count) >> 21 { most = max(most, try daemon.residentMemory()) }
                bytes += part.count
                lines += part.count { $0 == UInt8(ascii: "{") }
            }
            #expect(lines == count)
            let growth = max(most, try daemon.residentMemory()) - before
            #expect(growth < bytes / 2 && growth < 16 << 20, "\(growth) bytes for a list of \(bytes)")

            // One does not, and is disconnected with most of it unread; others are served meanwhile.
            let silent = try #require(try connectUnix(daemon.adminSocket))
            silent.send(request)
            try eventually("it is still connected", within: .seconds(60)) {
                _ = try #require(try daemon.status())
                return silent.isHungUp
            }
            silent.setTimeout(.seconds(5))
            var rest = 0
            while let part = silent.receive() { rest += part.count }
            #expect(rest < bytes / 4, "\(rest) of \(bytes) bytes were written for a client that does not read")
        }
    }
}

extension EndToEnd.Admin {
    /// Ends `daemon`, writes mappings of `shop/web` and `shop/batch` into its journal until there are `count`, and starts it
    /// again.
    private static func multiply(to count: Int, in daemon: Daemon) throws {
        #expect(try daemon.dig("api.local.example").addresses == ["192.0.2.10"])
        let identities = try JSONSerialization.jsonObject(with: daemon.admin("GET /v1/identities").body)
        let owners = (identities as? [[String: Any]] ?? []).compactMap { identity in
            (identity["id"] as? UInt64).flatMap { id in (identity["name"] as? String).map { (id: id, name: $0) } }
        }.filter { ["web", "batch"].contains($0.name) }
        #expect(owners.count == 2)
        #expect(try daemon.stop() == 0)

        let journal = try daemon.workspace.read("journal/journal.jsonl")
        let line = try #require(journal.split(separator: "\n").last { $0.contains("api.local.example.") })
        let sequence = try #require(line.firstMatch(of: /"seq":(\d+)/).flatMap { Int($0.1) })
        let identity = try #require(line.firstMatch(of: /"identity":\d+/)).0
        var text = journal
        for number in 1..<count {
            let owner = owners[number % 2]
            text += line.replacing("api.local.example.", with: "host\(number).local.example.")
                .replacing("\"seq\":\(sequence)", with: "\"seq\":\(sequence + number)")
                .replacing(identity, with: "\"identity\":\(owner.id)")
                .replacing("\"policy\":\"shop/web\"", with: "\"policy\":\"shop/\(owner.name)\"")
            text += "\n"
        }
        try daemon.workspace.write("journal/journal.jsonl", text)
        try daemon.restart()
        let mappings = try daemon.admin("GET /v1/status").object()["mappings"] as? [String: Any]
        #expect(mappings?["names"] as? Int == count, "\(daemon.process.errors)")
        // The journal is compacted at once, which takes memory of its own.
        let folder = daemon.workspace.file("journal")
        try eventually("the journal is not compacted", within: .seconds(60)) {
            let size = try FileManager.default.attributesOfItem(atPath: "\(folder)/journal.jsonl")[.size] as? Int
            return size ?? 0 < 1 << 20 && access("\(folder)/journal.old.jsonl", F_OK) != 0
        }
    }
}

extension Socket {
    /// Whether the other side has closed the connection, read or not.
    fileprivate var isHungUp: Bool {
        var state = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&state, 1, 0) == 1 && state.revents & Int16(POLLHUP) != 0
    }
}

extension Daemon {
    /// Bytes of memory that its process has at this moment.
    fileprivate func residentMemory() throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process.pid)/statm", encoding: .ascii)
        guard let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw HarnessError("no memory in \(text)")
        }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
