import Foundation

/// Counts the first packets (SYN) of connections, and the answers to them (SYN and ACK), on the node: where they come
/// in, and behind the enforcer's rules.
///
/// It is a table of the test's own. A packet is *expected* to pass if it goes from a pod to port 80 of the addresses of
/// the pod's own names; everything else, and everything from `Pod.probePorts`, is a *probe*, and must not pass unless
/// the test says so.
struct PacketCounters: Equatable {
    /// First packets of connections that should pass, repetitions among them.
    var expectedSent = 0
    /// Those of them that passed.
    var expectedPassed = 0
    /// First packets of other connections.
    var probesSent = 0
    /// Those of them that passed.
    var probesPassed = 0
    /// Answers to first packets.
    var answersSent = 0
    /// Those of them that passed.
    var answersPassed = 0

    /// Sets up the table in the node's namespace.
    static func install(on network: StageNetwork) throws {
        let workspace = try Workspace()
        let file = try workspace.write(
            "proof.nft",
            """
            table inet proof {
              counter expected_sent {}
              counter expected_passed {}
              counter probes_sent {}
              counter probes_passed {}
              counter answers_sent {}
              counter answers_passed {}
              chain sent {
                type filter hook prerouting priority raw; policy accept;
            \(rules(network.pods, "sent"))
              }
              # Behind all chains of priority "filter": only what they let through comes here.
              chain passed {
                type filter hook forward priority 10; policy accept;
            \(rules(network.pods, "passed"))
              }
            }

            """)
        let result = try network.node.execute(["nft", "-f", file])
        guard result.status == 0 else { throw HarnessError("nft: \(result.errors)") }
    }

    /// The rules of one chain.
    private static func rules(_ pods: [Pod], _ place: String) -> String {
        var lines = [
            "meta l4proto != tcp return",
            #"iifname "outside" tcp flags & (syn | ack) == (syn | ack) counter name answers_\#(place) return"#,
            #"iifname != "pod-*" return"#,
            "tcp flags & (fin | syn | rst | ack) != syn return",
            // Queries over TCP stay on the node.
            "ip daddr 10.8.0.0/16 return", "ip6 daddr fd08::/32 return",
            "tcp sport \(Pod.probePorts.lowerBound)-65535 counter name probes_\(place) return",
        ]
        for pod in pods {
            guard let app = pod.app else { continue }
            for owner in [app, NamePlan.shared] {
                let own = #"iifname "\#(pod.link)" tcp dport 80"#
                lines += [
                    "\(own) ip daddr \(NamePlan.range4(owner)) counter name expected_\(place) return",
                    "\(own) ip6 daddr \(NamePlan.range6(owner)) counter name expected_\(place) return",
                ]
            }
        }
        lines.append("counter name probes_\(place)")
        return lines.map { "    " + $0 }.joined(separator: "\n")
    }

    /// What was counted so far.
    static func read(from node: Namespace) throws -> PacketCounters {
        /// One object of `nft -j`.
        struct Item: Decodable {
            /// A counter.
            struct Counter: Decodable {
                /// Its name.
                let name: String
                /// What it has counted.
                let packets: Int
            }
            /// The counter, if it is one.
            let counter: Counter?
        }
        let result = try node.execute(["nft", "-j", "list", "counters", "table", "inet", "proof"])
        let items = try JSONDecoder().decode([String: [Item]].self, from: Data(result.output.utf8))
        let list = (items["nftables"] ?? []).compactMap(\.counter)
        let packets = Dictionary(list.map { ($0.name, $0.packets) }) { first, _ in first }
        guard packets.count == 6 else { throw HarnessError("counters are missing: \(result.output)") }
        return PacketCounters(
            expectedSent: packets["expected_sent"] ?? 0, expectedPassed: packets["expected_passed"] ?? 0,
            probesSent: packets["probes_sent"] ?? 0, probesPassed: packets["probes_passed"] ?? 0,
            answersSent: packets["answers_sent"] ?? 0, answersPassed: packets["answers_passed"] ?? 0)
    }

    /// What was counted between two readings.
    static func - (later: PacketCounters, earlier: PacketCounters) -> PacketCounters {
        PacketCounters(
            expectedSent: later.expectedSent - earlier.expectedSent,
            expectedPassed: later.expectedPassed - earlier.expectedPassed,
            probesSent: later.probesSent - earlier.probesSent,
            probesPassed: later.probesPassed - earlier.probesPassed,
            answersSent: later.answersSent - earlier.answersSent,
            answersPassed: later.answersPassed - earlier.answersPassed)
    }
}
