import Foundation
import Testing

extension EndToEnd {
    /// The page as a person sees it, in Debian's Chromium.
    @Suite struct Page {
        /// A daemon with the page, and where that is; `change` has the last word about its setup.
        static func daemon(
            _ setup: Setup, _ change: (inout Setup) -> Void = { _ in }
        ) throws -> (daemon: Daemon, port: Int) {
            var setup = setup
            let port = try Ports.free()
            setup.metricsPort = port
            setup.admin = ", page: true"
            setup.policies = [
                "web.yaml": Setup.policy("web", dns: ["*.test.example", "*.local.example"]),
                "batch.yaml": Setup.policy("batch", dns: ["ledger.*.example", "local.example"]),
            ]
            change(&setup)
            return (try Daemon(setup), port)
        }

        /// A browser that shows the page at `port`.
        private static func browser(_ port: Int, width: Int = 1_280, height: Int = 900) throws -> Browser {
            let browser = try Browser()
            try browser.emulate(width: width, height: height, scheme: .light)
            try browser.open("http://localhost:\(port)/")
            return browser
        }

        /// Waits until the sentence at the top says `text`.
        private static func expectSentence(
            _ browser: Browser, within limit: Duration = .seconds(30), _ matches: (String) -> Bool
        ) throws {
            var sentence = ""
            try eventually("the page says \(sentence)", within: limit) {
                sentence = try browser.text("#sentence")
                return matches(sentence)
            }
        }

        /// The numbers in `text`, the commas of thousands left out.
        private static func numbers(_ text: String) -> [Int] {
            text.replacing(",", with: "").matches(of: /\d+/).compactMap { Int($0.0) }
        }

        @Test func `figures move under load, and are those of the metrics when it is over`() throws {
            let nsd = try NSD(zone: "host IN A 192.0.2.1\n*.wild 1 IN A 192.0.2.2")
            var setup = Setup(upstream: nsd.port)
            setup.zone = Setup.localZone
            let (daemon, port) = try Page.daemon(setup)
            let load = try DNSPerf(
                (0..<500).flatMap { index in
                    [
                        "host.test.example A", "api.local.example A", "denied.example A",
                        "h\(index % 50).wild.test.example A",
                    ]
                }, port: daemon.port, seconds: 10)
            let browser = try Page.browser(port)
            try Page.expectSentence(browser) { text in
                text.wholeMatch(of: /Serving\. [\d,]+ queries\/s, (100|[\d.]+) % from the cache, [\d,.]+ denied\/s\./)
                    != nil
            }
            for figure in ["queries", "ratio", "denied", "p50", "p99"] {
                #expect(try !Page.numbers(browser.text("#\(figure)")).isEmpty, "\(figure)")
            }
            // Totals in the line at the top: version, uptime, queries, denied, failed.
            let before = try Page.numbers(browser.text("#about").replacing(/version \S+, up [^,]+,/, with: ""))
            try eventually("the figures stand still") {
                let now = try Page.numbers(browser.text("#about").replacing(/version \S+, up [^,]+,/, with: ""))
                return now.count == 3 && before.count == 3 && now[0] > before[0] && now[1] > before[1]
            }
            // The chart has drawn what came from the cache.
            try eventually("an empty chart") {
                let path = try browser.evaluate("return document.querySelector('path.cache').getAttribute('d')")
                return (path as? String)?.count ?? 0 > 40
            }

            let sent = try load.sent()
            try Page.expectSentence(browser) { $0 == "Serving. No queries at the moment." }
            let metrics = try Metrics(port: port)
            let after = try Page.numbers(browser.text("#about").replacing(/version \S+, up [^,]+,/, with: ""))
            #expect(after.first == sent)
            let denied = metrics.values["outcomes_total{outcome=\"denied\"}"] ?? 0
            let failed = metrics.values["outcomes_total{outcome=\"failed\"}"] ?? 0
            #expect(after == [Int(metrics.sum("queries_total")), Int(denied), Int(failed)])
            #expect(try browser.texts("#upstreams td").contains("127.0.0.1:\(nsd.port)"))
            #expect(try browser.texts("#upstreams td").contains("answers"))
            #expect(try browser.complaints() == [])
        }

        @Test func `a denied name is there with identity and reason, and a hostile one is nothing but text`() throws {
            var setup = Setup()
            setup.zone = Setup.localZone
            let (daemon, port) = try Page.daemon(setup)
            let browser = try Page.browser(port)
            let client = try daemon.client()
            let hostile = "<img src=x onerror=document.title='owned'>"
            for name in ["telemetry.vendor.example", "\(hostile).example", "</td><script>owned</script>.example"] {
                for _ in 0..<3 { #expect(client.resolve(name)?.code == 5) }
            }
            let other = try daemon.client(source: "127.0.0.2")
            #expect(other.resolve("api.local.example")?.code == 5)

            var rows: [String] = []
            try eventually("the page does not show what was denied: \(rows)") {
                rows = try browser.texts("#denials tbody tr")
                return rows.count == 4
            }
            let vendor = try #require(rows.first { $0.contains("telemetry.vendor.example.") })
            for part in ["shop/web", "127.0.0.1", "no rule of shop/web allows it", "3"] {
                #expect(vendor.contains(part), "\(part): \(vendor)")
            }
            // The near miss of the policy's author.
            let local = try #require(rows.first { $0.contains("api.local.example.") })
            #expect(local.contains("shop/batch") && local.contains(#""**.local.example" would match"#), "\(local)")
            // A space is written \\032, everything else as it came.
            let image = hostile.replacing(" ", with: "\\032")
            #expect(rows.contains { $0.contains(image) }, "\(rows)")
            #expect(rows.contains { $0.contains("</td><script>owned</script>.example.") }, "\(rows)")
            let elements = try browser.evaluate("return document.querySelectorAll('tbody img, tbody script').length")
            #expect(elements as? Int == 0)
            #expect(try browser.evaluate("return document.title") as? String != "owned")
            #expect(try browser.complaints() == [])
        }

        @Test func `mappings are searched with the keyboard, in the policy's own language`() throws {
            var setup = Setup()
            setup.zone = Setup.localZone
            let (daemon, port) = try Page.daemon(setup)
            for name in ["api.local.example", "ledger.local.example"] {
                #expect(try daemon.dig(name).status == "NOERROR")
            }
            #expect(try daemon.dig("ledger.local.example", source: "127.0.0.2").status == "NOERROR")
            let browser = try Page.browser(port)
            /// What the search has found, as text.
            func found() throws -> (summary: String, rows: [String]) {
                (try browser.text("#found"), try browser.texts("#mappings tbody tr"))
            }
            try eventually("no mappings") { try found().summary == "3 mappings" && found().rows.count == 3 }

            try browser.type("\u{E004}")
            #expect(try browser.evaluate("return document.activeElement.id") as? String == "pattern")
            try browser.type("ledger.*.example")
            try eventually("the search does not filter") { try found().summary == "2 mappings" }
            let rows = try found().rows
            #expect(
                rows.count == 2 && rows.allSatisfy { $0.contains("ledger.local.example.") && $0.contains("192.0.2.20") }
            )
            #expect(Set(rows.map { $0.contains("shop/batch") }) == [true, false])
            // Return searches at once.
            try browser.type(" x\u{E007}")
            try eventually("a bad pattern is not named") { try found().summary.contains("pattern") }
            #expect(try found().rows.count == 2)
            for _ in 0..<20 { try browser.type("\u{E003}") }
            try browser.type("none.example\u{E007}")
            try eventually("something is found") { try found().summary.hasPrefix("0 mappings") }
            #expect(try found().rows.isEmpty)
        }

        @Test func `the sentence says that the daemon is lost, that it is back, and that it is not ready`() throws {
            let (daemon, port) = try Page.daemon(Setup())
            let browser = try Page.browser(port)
            try Page.expectSentence(browser) { $0 == "Serving. No queries at the moment." }
            #expect(try daemon.stop() == 0)
            try Page.expectSentence(browser) { text in
                text.wholeMatch(of: /No data for \d+ s: connection to the daemon lost\./) != nil
            }
            // Announced to a screen reader once, and what is old is not shown as if it were new.
            #expect(try browser.evaluate("return document.getElementById('announcement').textContent") as? String != "")
            #expect(try browser.evaluate("return document.body.dataset.state") as? String == "lost")
            try daemon.restart()
            try Page.expectSentence(browser) { $0.hasPrefix("Serving.") }
            #expect(try daemon.dig("one.test.example").status == "SERVFAIL")
            try Page.expectSentence(browser) { $0 == "Not ready: no upstream answers." }
            #expect(try browser.texts("#upstreams td").contains("does not answer"))
        }

        @Test(arguments: [(1_280, Browser.Scheme.light), (1_280, .dark), (360, .light), (360, .dark)])
        func `it reads well in light and dark, on a desk and on a phone`(width: Int, scheme: Browser.Scheme) throws {
            var setup = Setup()
            setup.zone = Setup.localZone
            setup.upstreams.append(
                #"{domains: [\#(String(repeating: "long.", count: 30))example], servers: ["192.0.2.99"]}"#)
            let (daemon, port) = try Page.daemon(setup)
            let client = try daemon.client()
            let long = Array(repeating: String(repeating: "w", count: 60), count: 4).joined(separator: ".")
            #expect(client.resolve(long)?.code == 5)
            #expect(client.resolve("api.local.example")?.code == 0)
            let browser = try Browser()
            try browser.emulate(width: width, height: 740, scheme: scheme)
            try browser.open("http://127.0.0.1:\(port)/")
            try eventually("nothing is shown") {
                try browser.texts("#denials tbody tr").count == 1 && browser.texts("#mappings tbody tr").count == 1
            }
            let size = try browser.evaluate("return [document.documentElement.scrollWidth, innerWidth]") as? [Int]
            #expect(size == [width, width])
            // The sentence is what one sees first, and nothing sticks out of its card.
            let place =
                try browser.evaluate(
                    """
                    const sentence = document.getElementById("sentence").getBoundingClientRect();
                    const out = [...document.querySelectorAll("section *")].filter((element) =>
                        element.getBoundingClientRect().right > innerWidth && getComputedStyle(element).clipPath === "none");
                    return [sentence.top, sentence.bottom, out.length];
                    """) as? [Double]
            #expect(
                try #require(place)[0] < 160 && #require(place)[1] < 300 && #require(place)[2] == 0, "\(place ?? [])")
            // Contrast of text by WCAG 2: 4.5 to 1 at least.
            let contrasts =
                try browser.evaluate(
                    """
                    const light = (color) => {
                        const parts = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
                            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
                    };
                    const ground = light(getComputedStyle(document.querySelector("#denials")).backgroundColor);
                    return [ground, ...["#sentence", "dt", "td.name", "td.bad", "td.good", "th", "#found", "small"].map((selector) => {
                        const element = document.querySelector(selector);
                        if (!element) return 21;
                        const own = light(getComputedStyle(element).color);
                        return (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
                    })];
                    """) as? [Double]
            let values = try #require(contrasts)
            #expect(scheme == .light ? values[0] > 0.8 : values[0] < 0.05)
            #expect(values.dropFirst().allSatisfy { $0 >= 4.5 }, "\(values)")
            #expect(try browser.complaints() == [])
        }
    }
}
