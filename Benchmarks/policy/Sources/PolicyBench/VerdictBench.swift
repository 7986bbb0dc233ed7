import DNSWire
import FQDNPolicy
import Glibc

/// One identity with all rules in one policy, and verdicts about many names.
struct VerdictBench {
    /// The path of the rules.
    let rules: String
    /// The path of the names.
    let names: String

    /// Prints compile time, memory and what is allowed; then, for each line of standard input, the time of a verdict
    /// and of an access to as much memory.
    func run() throws {
        let names = try Inputs.lines(names).map { try DomainName($0) }
        var entries = try Inputs.patterns(rules)
        let count = entries.count
        let place = DocumentPlace(file: "bench")
        var policy: PolicyDocument? = PolicyDocument(
            kind: .namespaced, namespace: "default", name: "bench", file: "bench", line: 1,
            specs: [
                .init(
                    selector: EndpointSelector(),
                    egress: [EgressRule(toPorts: [PortRule(ports: nil, dns: entries)], place: place)])
            ])
        entries = []
        let identity = IdentityEntry(name: "x", namespace: "default", labels: [:], prefixes: [], place: place)
        var policies = [policy].compactMap { $0 }
        policy = nil
        let before = allocatedBytes()
        let start = cpuTime()
        let compiled = PolicyCompiler.compile(policies: policies, identities: [identity]).snapshot
        print("compile_ms", (cpuTime() - start) * 1e3)
        guard let snapshot = compiled else { throw InputError(description: "the rules do not compile") }
        let bytes = allocatedBytes() - before
        print("bytes_per_rule", Double(bytes) / Double(count))
        policies = []
        print("allowed", VerdictBench.verdicts(snapshot, names.prefix(VerdictBench.compared)))
        fflush(nil)
        let control = LoadControl(bytes: bytes)
        while readLine() != nil {
            // The control has emptied the caches.
            _ = VerdictBench.verdicts(snapshot, names[...])
            let start = cpuTime()
            VerdictBench.assignments(names[...])
            let middle = cpuTime()
            _ = VerdictBench.verdicts(snapshot, names[...])
            print("ns", (cpuTime() - middle - (middle - start)) * 1e9 / Double(names.count), control.measure())
            fflush(nil)
        }
    }

    /// Names whose verdicts are counted, to be compared with another engine's.
    private static let compared = 2000

    /// Decodes every name and asks for a verdict; returns how many are allowed.
    @inline(never)
    private static func verdicts(_ snapshot: PolicySnapshot, _ names: ArraySlice<DomainName>) -> Int {
        var buffer = NameBuffer()
        var allowed = 0
        for name in names {
            buffer.assign(name)
            if snapshot.verdict(identity: 1, name: buffer, transport: .udp).isAnswered { allowed += 1 }
        }
        return allowed
    }

    /// Decodes every name: what is not part of a verdict.
    @inline(never)
    private static func assignments(_ names: ArraySlice<DomainName>) {
        var buffer = NameBuffer()
        var sum: UInt64 = 0
        for name in names {
            buffer.assign(name)
            sum &+= buffer.hash
        }
        if sum == 1 { print("") }
    }
}
