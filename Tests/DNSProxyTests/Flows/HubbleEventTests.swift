import Foundation
import Testing

@testable import DNSProxy

/// Flows as Hubble writes them.
struct HubbleEventTests {
    /// A flow with everything that one can have.
    private static let full: Flow = {
        var flow = Flow(
            time: 1_767_323_045.678, verdict: .forwarded, outcome: "upstream", client: "10.244.1.17", clientPort: 4_096,
            transport: "udp", identity: 0x1234_5678_9ABC, identityName: "shop/web", namespace: "shop", workload: "web",
            labels: ["tier": "front", "app": "web"], name: "www.shop.example.", type: "A", rcode: "NOERROR",
            nanoseconds: 1_500_000)
        flow.addresses = ["192.0.2.10", "192.0.2.11"]
        flow.cnames = ["api.shop.example."]
        flow.ttl = 60
        flow.recordTypes = ["CNAME", "A"]
        flow.upstreamNanoseconds = 1_200_000
        flow.holdNanoseconds = 40_000
        flow.rule = Flow.Rule(
            policy: "shop/web", rule: "matchPattern: \"*\"", file: "web.yaml", line: 9, path: "spec.egress[0]")
        return flow
    }()

    /// The line that `event` becomes.
    private func line(_ event: FlowEvent, _ fields: HubbleFields = .all) -> String {
        String(
            decoding: HubbleEvent(event, node: "node-1", time: 1_767_323_046, fields: fields).line, as: UTF8.self)
    }

    @Test func `an answered query is a flow of type RESPONSE`() throws {
        #expect(
            line(.flow(HubbleEventTests.full)) == """
                {"flow":{"IP":{"ipVersion":"IPv4","source":"10.244.1.17"},"Type":"L7",\
                "dnsproxyd":{"hold_ns":"40000","outcome":"upstream","rule":{"file":"web.yaml","line":9,\
                "path":"spec.egress[0]","policy":"shop/web","rule":"matchPattern: \\"*\\""},"upstream_ns":"1200000"},\
                "egress_allowed_by":[{"name":"web","namespace":"shop"}],"l4":{"UDP":{"source_port":4096}},\
                "l7":{"dns":{"cnames":["api.shop.example."],"ips":["192.0.2.10","192.0.2.11"],\
                "observation_source":"proxy","qtypes":["A"],"query":"www.shop.example.","rcode":0,\
                "rrtypes":["CNAME","A"],"ttl":60},"latency_ns":"1500000","type":"RESPONSE"},"node_name":"node-1",\
                "source":{"identity":1450744508,"labels":["app=web","tier=front"],"namespace":"shop","pod_name":"web"},\
                "time":"2026-01-02T03:04:05.678Z","traffic_direction":"EGRESS","verdict":"FORWARDED"},\
                "node_name":"node-1","time":"2026-01-02T03:04:05.678Z"}
                """)
    }

    @Test func `a denied query has a reason, one without a reply is a REQUEST`() throws {
        var denied = HubbleEventTests.full
        denied.verdict = .dropped
        denied.outcome = "denied"
        denied.rcode = "REFUSED"
        denied.reason = "no rule of shop/web allows it"
        denied.rule = nil
        denied.client = "fd00::17"
        let text = line(.flow(denied))
        #expect(text.contains(#""drop_reason_desc":"POLICY_DENIED""#) && text.contains(#""rcode":5"#))
        #expect(text.contains(#""ipVersion":"IPv6""#) && !text.contains("denied_by"))
        #expect(
            text.contains(
                #""dnsproxyd":{"hold_ns":"40000","outcome":"denied","reason":"no rule of shop/web allows it","#))
        denied.outcome = "dropped"
        denied.rcode = nil
        let silent = line(.flow(denied))
        #expect(silent.contains(#""type":"REQUEST""#) && !silent.contains("rcode") && !silent.contains("drop_reason"))
    }

    @Test func `what is lost is told as Hubble tells it`() throws {
        #expect(
            line(.lost(FlowLoss(reason: .rate, count: 12))) == """
                {"lost_events":{"num_events_lost":"12","source":"OBSERVER_EVENTS_QUEUE"},"node_name":"node-1",\
                "time":"2026-01-02T03:04:06.000Z"}
                """)
        #expect(line(.lost(FlowLoss(reason: .overtaken, count: 1))).contains(#""source":"HUBBLE_RING_BUFFER""#))
    }

    @Test func `only the fields that are wanted are written`() throws {
        let some = HubbleFields(kept: ["verdict", "source", "l7.dns.rcode"], redacted: ["source.labels"])
        #expect(
            line(.flow(HubbleEventTests.full), some) == """
                {"flow":{"l7":{"dns":{"rcode":0}},\
                "source":{"identity":1450744508,"namespace":"shop","pod_name":"web"},"verdict":"FORWARDED"},\
                "node_name":"node-1","time":"2026-01-02T03:04:05.678Z"}
                """)
        let redacted = line(
            .flow(HubbleEventTests.full), HubbleFields(kept: nil, redacted: ["l7.dns.query", "IP", "l7.dns.cnames"]))
        #expect(!redacted.contains("shop.example") && !redacted.contains("10.244") && redacted.contains("latency_ns"))
    }

    @Test(arguments: ["", "plain", "a\"b\\c/d", "\n\u{0}\u{1F}\t", "grün 🌍 \u{2028}", "\u{7F}\u{1B}[2J"])
    func `any text is read back as it was`(_ text: String) throws {
        var flow = HubbleEventTests.full
        flow.labels = [text: text]
        flow.name = text
        let data = Data(HubbleEvent(.flow(flow), node: text, time: 0).line)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["node_name"] as? String == text)
        let source = (object["flow"] as? [String: Any])?["source"] as? [String: Any]
        #expect(source?["labels"] as? [String] == ["\(text)=\(text)"])
        // Nothing that a terminal would obey, the line being printed as it is.
        #expect(data.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    }

    @Test func `every field that there is can be chosen`() throws {
        var denied = HubbleEventTests.full
        denied.verdict = .dropped
        denied.outcome = "denied"
        denied.reason = "no rule allows it"
        for path in HubbleFields.known {
            let lines = [denied, HubbleEventTests.full].map {
                line(.flow($0), HubbleFields(kept: [path], redacted: []))
            }
            #expect(lines.contains { !$0.contains(#""flow":{}"#) }, "\(path)")
        }
    }

    @Test func `a line of the API is a flow or a loss`() throws {
        for event in [FlowEvent.flow(HubbleEventTests.full), .lost(FlowLoss(reason: .rate, count: 3))] {
            let data = try AdminJSON.encoder.encode(event)
            #expect(try JSONDecoder().decode(FlowEvent.self, from: data) == event)
        }
    }
}
