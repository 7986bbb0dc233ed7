import FQDNCache
import MappingFeed
import Testing

@testable import DNSProxy

/// The page that Prometheus reads.
@Suite struct AdminMetricsTests {
    /// Figures in which every counter of the workers has a value of its own.
    private static func metrics() -> AdminMetrics {
        var counters = WorkerCounters()
        for (index, counter) in WorkerCounters.named.enumerated() {
            counters[keyPath: counter.path] = UInt64(index + 100)
        }
        counters.responses[3] = 7
        var feed = AdminMetrics.Feed()
        feed.counters.disconnects = [.lagging: 2]
        return AdminMetrics(
            version: "1.0 \"beta\"\\\n", started: 1.5, workers: [counters, counters], answers: AnswerStatistics(),
            mappings: AdminMappingTotals(identities: 1, names: 2, addresses: 3), feed: feed,
            upstreams: [
                AdminUpstream(server: "192.0.2.1:53", isUp: true), AdminUpstream(server: "192.0.2.1:53", isUp: true),
                AdminUpstream(server: "192.0.2.2:53", domains: ["a.example."], isUp: false),
            ],
            policy: AdminMetrics.Policy())
    }

    /// The lines of the page.
    private let lines = MetricsPage(AdminMetricsTests.metrics()).text.split(separator: "\n").map(String.init)

    @Test func `every counter of the workers is on the page, summed over the workers`() {
        let values = lines.filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: " ").last.map(String.init) }
        for (index, counter) in WorkerCounters.named.enumerated() {
            #expect(values.count { $0 == "\(2 * (index + 100))" } == 1, "\(counter.name)")
        }
        #expect(lines.contains("dnsproxyd_responses_total{rcode=\"NXDOMAIN\"} 14"))
    }

    @Test func `every sample follows the help and the type of its family`() throws {
        var family = ""
        var seen: Set<String> = []
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if words[0] == "#", words[1] == "HELP" {
                family = words[2]
                #expect(seen.insert(family).inserted, "\(family) is there twice")
                #expect(family.hasPrefix("dnsproxyd_") && words.count == 4)
            } else if words[0] == "#" {
                #expect(words[1] == "TYPE" && words[2] == family)
                #expect(words[3] == (family.hasSuffix("_total") ? "counter" : "gauge"), "\(family)")
            } else {
                #expect(line.prefix { $0 != "{" && $0 != " " } == family)
                #expect(Double(try #require(line.split(separator: " ").last)) != nil, "\(line)")
            }
        }
        #expect(seen.count > 30)
    }

    @Test func `label values are escaped`() {
        #expect(lines.contains(#"dnsproxyd_build_info{version="1.0 \"beta\"\\\n"} 1"#))
    }

    @Test func `no set of labels is there twice`() {
        let samples = lines.filter { !$0.hasPrefix("#") }.map { $0.split(separator: "} ")[0] }
        #expect(Set(samples).count == samples.count)
        #expect(lines.contains(#"dnsproxyd_upstream_up{server="192.0.2.2:53",domains="a.example."} 0"#))
    }
}
