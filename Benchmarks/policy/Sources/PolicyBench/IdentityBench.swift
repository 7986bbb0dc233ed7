import DNSWire
import FQDNPolicy

/// The rules spread over 1,000 identities, each with a policy of its own.
struct IdentityBench {
    /// The path of the rules.
    let rules: String
    /// Identities.
    private static let identities = 1000

    /// Prints the compile time.
    func run() throws {
        let entries = try Inputs.patterns(rules)
        let place = DocumentPlace(file: "bench")
        var policies: [PolicyDocument] = []
        var identities: [IdentityEntry] = []
        let share = max(1, entries.count / IdentityBench.identities)
        for number in 0..<IdentityBench.identities {
            let own = Array(entries.dropFirst(number * share).prefix(share))
            policies.append(
                PolicyDocument(
                    kind: .namespaced, namespace: "default", name: "p\(number)", file: "bench", line: number + 1,
                    specs: [
                        .init(
                            selector: EndpointSelector([.init("app", .isIn, ["a\(number)"])]),
                            egress: [EgressRule(toPorts: [PortRule(ports: nil, dns: own)], place: place)])
                    ]))
            identities.append(
                IdentityEntry(
                    name: "i\(number)", namespace: "default", labels: ["app": "a\(number)"],
                    prefixes: [
                        .init(IPPrefix(IPAddress(ipv4: 0x0A00_0000 | UInt32(truncatingIfNeeded: number))), place: place)
                    ], place: place))
        }
        let start = cpuTime()
        let compiled = PolicyCompiler.compile(policies: policies, identities: identities).snapshot
        print("compile_ms", (cpuTime() - start) * 1e3)
        guard compiled != nil else { throw InputError(description: "the rules do not compile") }
    }
}
