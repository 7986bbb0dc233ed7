import Foundation
import Testing

extension EndToEnd {
    /// What the page is made of, as any HTTP client has it.
    @Suite struct PageAPI {
        /// The files of the page and what it asks for.
        private static let paths = ["/", "/page.css", "/page.js", "/page.svg", "/v1/mappings/search"]

        @Test func `without a word in the configuration there is no page, and nothing that it would show`() throws {
            var setup = Setup()
            let port = try Ports.free()
            setup.metricsPort = port
            let daemon = try Daemon(setup)
            try eventually("no metrics") { (try? http("GET /metrics", port: port))?.status == 200 }
            for path in PageAPI.paths + ["/v1/events"] {
                #expect(try http("GET \(path)", port: port).status == 404, "\(path)")
            }
            let object = try http("GET /", port: port).object()
            #expect((object["error"] as? String)?.contains("admin.page") == true)
            withExtendedLifetime(daemon) {}
        }

        @Test func `beside the metrics there is what the page needs, to be read only`() throws {
            let (daemon, port) = try Page.daemon(Setup())
            try eventually("no page") { (try? http("GET /", port: port))?.status == 200 }
            for path in PageAPI.paths {
                let answer = try http("GET \(path)", port: port)
                #expect(answer.status == 200 && !answer.body.isEmpty, "\(path)")
                #expect(answer.headers["x-content-type-options"] == "nosniff", "\(path)")
                let policy = try #require(answer.headers["content-security-policy"])
                #expect(policy.hasPrefix("default-src 'none'; ") && !policy.contains("unsafe"), "\(path)")
                #expect(answer.headers["access-control-allow-origin"] == nil, "\(path)")
                #expect(try http("POST \(path)", port: port).status == 404, "\(path)")
                #expect(try http("DELETE \(path)", port: port).status == 404, "\(path)")
                #expect(try http("HEAD \(path)", port: port).status == 200, "\(path)")
            }
            for path in ["/v1/status", "/v1/mappings", "/v1/answers", "/v1/identities", "/v1/flows", "/v1/reload"] {
                let answer = try http("GET \(path)", port: port)
                #expect(answer.status == 404, "\(path)")
                #expect(try answer.object()["error"] as? String == "there is no GET \(path) here")
            }
            // Nothing in it runs but its own file, and nothing comes from elsewhere.
            let page = try http("GET /", port: port).text
            #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("style="))
            #expect(page.matches(of: /<script/).count == 1 && page.matches(of: /\son\w+=/).isEmpty)
            withExtendedLifetime(daemon) {}
        }

        @Test func `bad parameters are named, and other names than this machine's are refused`() throws {
            let (daemon, port) = try Page.daemon(Setup())
            try eventually("no page") { (try? http("GET /", port: port))?.status == 200 }
            for (request, parameter) in [
                ("GET /?debug=1", "debug"), ("GET /v1/events?since=1", "since"), ("GET /v1/mappings/search?p=*", "p"),
                ("GET /v1/mappings/search?pattern=a%20b", "pattern"),
            ] {
                let answer = try http(request, port: port)
                #expect(answer.status == 400, "\(request)")
                #expect(try answer.object()["parameter"] as? String == parameter, "\(request)")
            }
            // A site whose name was made to lead here.
            for host in ["rebound.example", "rebound.example:\(port)", "192.0.2.1:\(port)", "localhost.example"] {
                for path in PageAPI.paths {
                    #expect(try http("GET \(path)", port: port, host: host).status == 421, "\(host)")
                }
                #expect(try http("GET /metrics", port: port, host: host).status == 200, "\(host)")
            }
            for host in ["localhost", "LOCALHOST:\(port)", "127.0.0.1:\(port)", "[::1]:\(port)"] {
                #expect(try http("GET /", port: port, host: host).status == 200, "\(host)")
            }
            withExtendedLifetime(daemon) {}
        }

        @Test func `sixteen may watch, each hears once a second, and who leaves makes room`() throws {
            let (daemon, port) = try Page.daemon(Setup())
            try eventually("no page") { (try? http("GET /", port: port))?.status == 200 }
            /// A viewer that has asked for events.
            func viewer() throws -> Socket {
                let endpoint = Endpoint("127.0.0.1", port)
                let socket = try endpoint.socket(SOCK_STREAM)
                #expect(endpoint.connect(socket))
                socket.setTimeout(.seconds(20))
                socket.send(Array("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
                return socket
            }
            /// What it hears until that contains `text`.
            func hear(_ socket: Socket, until text: String) -> String {
                var heard = ""
                while !heard.contains(text), let bytes = socket.receive() {
                    heard += String(decoding: bytes, as: UTF8.self)
                }
                return heard
            }
            var viewers = try (0..<16).map { _ in try viewer() }
            for viewer in viewers {
                let heard = hear(viewer, until: "event: state")
                #expect(heard.hasPrefix("HTTP/1.1 200") && heard.contains("text/event-stream"), "\(heard)")
                #expect(heard.contains("event: history\ndata: ["), "\(heard)")
            }
            let refused = try http("GET /v1/events", port: port)
            #expect(refused.status == 503 && refused.headers["retry-after"] != nil)
            #expect(try refused.object()["error"] as? String == "16 viewers are there already")

            // All have heard of the same moments.
            var times: [String] = []
            let start = ContinuousClock.now
            while times.count < 3, let bytes = viewers[0].receive() {
                times += String(decoding: bytes, as: UTF8.self).matches(of: /"sample":\{"at":([\d.]+)/).map {
                    String($0.1)
                }
            }
            #expect(times.count >= 3 && ContinuousClock.now - start > .seconds(1))
            #expect(hear(viewers[1], until: times[2]).contains(times[1]))

            viewers.removeLast(8)
            try eventually("nobody has left") {
                let next = try viewer()
                let isThere = hear(next, until: "\r\n\r\n").hasPrefix("HTTP/1.1 200")
                if isThere { viewers.append(next) }
                return isThere
            }
            // A daemon that stops does not wait for its viewers.
            #expect(try daemon.stop() == 0)
            #expect(hear(viewers[0], until: "never").contains("0\r\n\r\n"))
        }
    }
}
