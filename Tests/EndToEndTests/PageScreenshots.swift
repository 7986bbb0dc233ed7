import Foundation
import Testing

extension EndToEnd {
    /// Pictures of the page for the documentation: `make screenshots`. Nothing is checked here.
    @Suite struct PageScreenshots {
        /// Where pictures go; nil unless somebody wants them.
        private static let folder = ProcessInfo.processInfo.environment["DNSPROXYD_SCREENSHOTS"]
        /// Seconds before they are taken: what the charts show.
        private static let seconds = 300

        /// A small shop with a few things that go wrong.
        private static func setup(upstream port: Int) -> Setup {
            var setup = Setup(upstream: port)
            setup.upstreams.append(#"{domains: [cluster.local], servers: ["tcp://127.0.0.1:\#(port)"]}"#)
            setup.identities = """
                  - {name: web, namespace: shop, labels: {app: web}, addresses: [127.0.0.1]}
                  - {name: batch, namespace: shop, labels: {app: batch}, addresses: [127.0.0.2]}
                  - {name: mail, namespace: office, labels: {app: mail}, addresses: [127.0.0.3]}
                """
            return setup
        }

        @Test(.enabled(if: folder != nil, "only make screenshots asks for them"))
        func `pictures of the page`() throws {
            let folder = try #require(PageScreenshots.folder)
            let nsd = try NSD(
                origin: "shop.example",
                zone: """
                    api IN A 192.0.2.10
                    www IN A 192.0.2.11
                    ledger IN A 192.0.2.20
                    pay IN AAAA 2001:db8::30
                    *.assets 5 IN A 192.0.2.40
                    """)
            let (daemon, port) = try Page.daemon(PageScreenshots.setup(upstream: nsd.port)) { setup in
                setup.policies = [
                    "web.yaml": Setup.policy("web", dns: ["*.shop.example", "*.assets.shop.example"]),
                    "batch.yaml": Setup.policy("batch", dns: ["ledger.shop.example"]),
                ]
            }
            let enforcer = try FeedSubscriber(daemon.feedSocket, acknowledge: true, after: .zero)
            try enforcer.waitForSnapshot()
            let names = (0..<400).flatMap { index in
                [
                    "api.shop.example A", "www.shop.example A", "pay.shop.example AAAA", "ledger.shop.example A",
                    "img\(index % 80).assets.shop.example A",
                ]
            }
            let length = PageScreenshots.seconds + 60
            let steady = try DNSPerf(names, port: daemon.port, seconds: length, rate: 640)
            let blocked = ["ads.tracker.example A", "ads.tracker.example A", "telemetry.vendor.example A"]
            let refused = try DNSPerf(blocked, port: daemon.port, seconds: length, rate: 3)
            // More is asked now and then: seconds, and queries a second.
            var waves = [(20, 300), (45, 180), (12, 650), (60, 240), (30, 420), (25, 150)]
            var wave: (load: DNSPerf, until: ContinuousClock.Instant)?
            let clients = try ["127.0.0.2", "127.0.0.4"].map { try daemon.client(source: $0) }
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(PageScreenshots.seconds) {
                if let last = wave, ContinuousClock.now > last.until + .seconds(15) { wave = nil }
                if wave == nil, let (seconds, rate) = waves.popLast() {
                    let load = try DNSPerf(names, port: daemon.port, seconds: seconds, rate: rate)
                    wave = (load, ContinuousClock.now + .seconds(seconds))
                }
                _ = clients[0].resolve("api.shop.example")
                if Int.random(in: 0..<4) == 0 { _ = clients[1].resolve("www.shop.example") }
                usleep(.random(in: 300_000...2_500_000))
            }
            let browser = try Browser()
            for (name, width, height, scheme, scale) in [
                ("page-light", 1_180, 880, Browser.Scheme.light, 1), ("page-dark", 1_180, 880, .dark, 1),
                ("page-phone", 360, 760, .light, 2),
            ] {
                try browser.emulate(width: width, height: height, scheme: scheme, scale: Double(scale))
                try browser.open("http://localhost:\(port)/")
                try eventually("nothing to see") {
                    try browser.text("#sentence").contains("queries/s") && browser.texts("#mappings tbody tr").count > 3
                }
                try browser.screenshot().write(to: URL(fileURLWithPath: "\(folder)/\(name).png"))
            }
            withExtendedLifetime((steady, refused, wave, enforcer)) {}
        }
    }
}
