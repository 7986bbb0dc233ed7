import DNSWire
import FQDNPolicy
import Fuzzing

/// Any bytes as a file of policies and identities; what compiles has to give the verdicts that it explains.
@main
struct FuzzPolicy {
    /// Names that every snapshot is asked about.
    private static let names: [DomainName] = [".", "example.com.", "www.example.com.", "a.b.svc.cluster.local."]
        .compactMap { try? DomainName($0) }

    /// Runs the target.
    static func main() {
        Fuzzer.run { input in
            var bytes: [UInt8] = []
            for index in input.indices { bytes.append(input[index]) }
            read(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// Reads and compiles a file, and asks the snapshot.
    private static func read(_ text: String) {
        let problems = DocumentProblems()
        var documents = DocumentDispatcher(problems: problems)
        documents.read(text, file: "fuzz.yaml")
        // YAML 1.1 knows more line breaks than most editors.
        let breaks: Set<Unicode.Scalar> = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"]
        let lines = text.unicodeScalars.reduce(1) { $0 + (breaks.contains($1) ? 1 : 0) }
        for problem in problems.list {
            require(!problem.description.isEmpty, "a problem has a text")
            require(problem.line <= lines + 1, "a problem is inside of the file: \(problem)")
        }
        let (snapshot, found) = PolicyCompiler.compile(policies: documents.policies, identities: documents.identities)
        guard let snapshot else {
            require(found.contains { $0.severity == .error }, "without a snapshot there is an error")
            return
        }
        for index in snapshot.identities.indices.prefix(4) {
            for name in names {
                for transport in [QueryTransport.udp, .tcp] {
                    let verdict = snapshot.verdict(identity: index, name: NameBuffer(name), transport: transport)
                    let explanation = snapshot.explain(identity: index, name: name, transport: transport)
                    require(verdict.outcome == explanation.outcome, "a verdict is explained as it is")
                    require(!explanation.lines.isEmpty, "an explanation has a text")
                }
            }
            for prefix in snapshot.identities[index].prefixes {
                require(
                    snapshot.identityIndex(of: prefix.address) != 0 || index == 0,
                    "an identity's address has an identity")
            }
        }
    }
}
