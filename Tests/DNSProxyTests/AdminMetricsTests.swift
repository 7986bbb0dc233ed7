import FQDNCache
import MappingFeed
import Testing

@testable import DNSProxy

/// The page that Prometheus reads.
@Suite struct AdminMetricsTests {
    /// Figures in which every counter of the workers has a value of its own.
    private static func metrics(upstreamLabels: Bool = true) -> AdminMetrics {
        var counters = WorkerCounters()
        for (index, counter) in WorkerCounters.named.enumerated() {
            counters[keyPath: counter.path] = UInt64(index + 100)
        }
        counters.responses[3] = 7
        counters[.coalesced] = 8
        var durations = WorkerDurations()
        durations.requests.add(50_000)
        durations.requests.add(50_001, count: 2)
        durations.requests.add(-1)
        durations.requests.add(.max)
        var feed = AdminMetrics.Feed()
        feed.counters.disconnects = [.lagging: 2]
        var metrics = AdminMetrics(
            version: "1.0 \"beta\"\\\n", started: 1.5, isReady: true, workers: [counters, counters],
            durations: durations,
            waiting: AdminMetrics.Waiting(), connections: 0, answers: AnswerStatistics(),
            mappings: AdminMappingTotals(identities: 1, names: 2, addresses: 3), feed: feed,
            upstreams: [
                AdminUpstream(server: "192.0.2.1:53", isUp: true), AdminUpstream(server: "192.0.2.1:53", isUp: true),
                AdminUpstream(server: "192.0.2.2:53", domains: ["a.example."], isUp: false),
            ],
            policy: AdminMetrics.Policy())
        metrics.upstreamLabels = upstreamLabels
        return metrics
    }

    /// The lines of the page.
    private let lines = AdminMetricsTests.lines(.prometheus)

    /// The lines of the page in `format`.
    private static func lines(_ format: MetricsText.Format, upstreamLabels: Bool = true) -> [String] {
        MetricsPage(metrics(upstreamLabels: upstreamLabels), process: ProcessFigures(), format: format).text
            .split(separator: "\n").map(String.init)
    }

    @Test func `every counter of the workers is on the page, summed over the workers`() {
        let values = lines.filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: " ").last.map(String.init) }
        for (index, counter) in WorkerCounters.named.enumerated() {
            #expect(values.count { $0 == "\(2 * (index + 100))" } == 1, "\(counter.name)")
        }
        #expect(lines.contains("dnsproxyd_responses_total{rcode=\"NXDOMAIN\"} 14"))
        #expect(lines.contains("dnsproxyd_outcomes_total{outcome=\"coalesced\"} 16"))
        #expect(lines.contains("dnsproxyd_feed_disconnects_total{reason=\"lagging\"} 2"))
    }

    @Test func `every sample follows the help and the type of its family`() throws {
        var family = ""
        var seen: Set<String> = []
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if words[0] == "#", words[1] == "HELP" {
                family = words[2]
                #expect(seen.insert(family).inserted, "\(family) is there twice")
                #expect(family.hasPrefix("dnsproxyd_") || family.hasPrefix("process_"))
                #expect(words.count == 4)
            } else if words[0] == "#" {
                #expect(words[1] == "TYPE" && words[2] == family)
                let isHistogram = family.hasSuffix("_duration_seconds")
                let type = isHistogram ? "histogram" : family.hasSuffix("_total") ? "counter" : "gauge"
                #expect(words[3] == type, "\(family)")
            } else {
                let name = line.prefix { $0 != "{" && $0 != " " }
                let suffix = name.dropFirst(family.count)
                #expect(name.hasPrefix(family) && ["", "_bucket", "_sum", "_count"].contains(suffix))
                #expect(Double(try #require(line.split(separator: " ").last)) != nil, "\(line)")
            }
        }
        #expect(seen.count > 30)
    }

    @Test func `a histogram counts what is not above a bound, and everything in the last range`() {
        let name = "dnsproxyd_request_duration_seconds"
        let buckets = lines.filter { $0.hasPrefix("\(name)_bucket") }
        #expect(buckets.count == 17)
        #expect(buckets.first == #"\#(name)_bucket{le="5e-05"} 2"#)
        #expect(buckets[1] == #"\#(name)_bucket{le="0.0001"} 4"#)
        #expect(buckets[13] == #"\#(name)_bucket{le="1"} 4"#)
        #expect(buckets.last == #"\#(name)_bucket{le="+Inf"} 5"#)
        #expect(lines.contains("\(name)_count 5"))
        // An hour is the most that one query counts for.
        #expect(lines.contains("\(name)_sum 3600.000150002"))
    }

    @Test func `OpenMetrics has the same samples, families without their suffix, and an end`() {
        let open = AdminMetricsTests.lines(.openMetrics)
        #expect(open.last == "# EOF")
        let samples = open.filter { !$0.hasPrefix("#") }.map { $0.replacing(#".0"}"#, with: #""}"#) }
        #expect(samples == lines.filter { !$0.hasPrefix("#") })
        #expect(open.contains("# TYPE dnsproxyd_outcomes counter"))
        #expect(open.contains { $0.hasPrefix("dnsproxyd_outcomes_total{") })
    }

    @Test(arguments: [
        ([], MetricsText.Format.prometheus), (["*/*"], .prometheus), (["application/openmetrics-text"], .openMetrics),
        (["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.8,*/*;q=0.1"], .prometheus),
        (["application/openmetrics-text; version=1.0.0; q=0.75, text/plain;q=0.5", "*/*;q=0.1"], .openMetrics),
        (["application/openmetrics-text;q=0"], .prometheus), (["text/html", "nonsense;;q=x,,"], .prometheus),
    ])
    func `the format is the one that the client likes best`(headers: [String], format: MetricsText.Format) {
        #expect(MetricsText.Format(accepting: headers) == format)
    }

    @Test func `label values are escaped`() {
        #expect(lines.contains(#"dnsproxyd_build_info{version="1.0 \"beta\"\\\n"} 1"#))
    }

    @Test func `addresses and domains of upstreams are labels only when that is switched on`() {
        let counts = [#"dnsproxyd_upstreams{state="up"} 1"#, #"dnsproxyd_upstreams{state="down"} 1"#]
        let plain = AdminMetricsTests.lines(.prometheus, upstreamLabels: false)
        #expect(!plain.contains { $0.contains("192.0.2.") || $0.contains("example") || $0.contains("upstream_up") })
        #expect(plain.filter { $0.hasPrefix("dnsproxyd_upstreams{") } == counts)
        #expect(lines.filter { $0.hasPrefix("dnsproxyd_upstreams{") } == counts)
        #expect(lines.filter { $0.hasPrefix("dnsproxyd_upstream_up{") }.count == 2)
    }

    @Test func `no set of labels is there twice`() {
        let samples = lines.filter { !$0.hasPrefix("#") }.map { $0.split(separator: "} ")[0] }
        #expect(Set(samples).count == samples.count)
        #expect(lines.contains(#"dnsproxyd_upstream_up{server="192.0.2.2:53",domains="a.example."} 0"#))
    }
}
