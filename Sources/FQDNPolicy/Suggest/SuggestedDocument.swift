import DNSWire

/// The text of a suggested policy document.
struct SuggestedDocument {
    /// Whom the policy is for.
    let identity: Identity
    /// What it allows.
    let entries: [PolicySuggestion.Entry]
    /// What it cannot express.
    let inexpressible: [DomainName]
    /// Names that there was no room for.
    let omitted: Int
    /// Where the public suffixes come from.
    let suffixSource: String
    /// How names were folded.
    let options: PolicySuggestion.Options

    /// Most names that comments list one by one.
    private static let commentLimit = 20

    /// The document.
    var text: String {
        (comments + header + ["spec:", "  endpointSelector:", "    matchLabels:"] + labels + egress)
            .joined(separator: "\n") + "\n"
    }

    /// What a reader should know before using it.
    private var comments: [String] {
        let names = entries.reduce(0) { $0 + $1.names }
        let folds = entries.count { $0.isPattern }
        var lines = [
            "# Suggested from \(names) \(names == 1 ? "name" : "names") that \(printable(identity.title)) asked for."
                + " Read it before you use it."
        ]
        if folds > 0 {
            lines += [
                "# \(folds) \(folds == 1 ? "pattern stands" : "patterns stand") for \(options.minimumSiblings) or more names"
                    + " that differ in one label, below a registered domain",
                "# (public suffixes: \(printable(suffixSource))).",
            ]
        }
        if omitted > 0 {
            lines.append("# \(omitted) more names were left out: those that were asked for least.")
        }
        if !inexpressible.isEmpty {
            lines.append("# Left out, since no pattern can be these names:")
            lines += inexpressible.prefix(SuggestedDocument.commentLimit).map { "#   \($0)" }
            let rest = inexpressible.count - SuggestedDocument.commentLimit
            if rest > 0 { lines.append("#   and \(rest) more") }
        }
        return lines
    }

    /// Version, kind and metadata.
    private var header: [String] {
        let isUnknown = identity.id == .unknown
        var lines = [
            "apiVersion: cilium.io/v2",
            "kind: \(isUnknown ? PolicyDocument.Kind.clusterwide.rawValue : PolicyDocument.Kind.namespaced.rawValue)",
            "metadata:", "  name: \(quotedScalar("suggested-" + resourceName))",
        ]
        if !isUnknown { lines.append("  namespace: \(quotedScalar(identity.namespace))") }
        return lines
    }

    /// The labels that select the identity.
    private var labels: [String] {
        identity.labels.sorted { $0.key < $1.key }.map { key, value in
            // A key that starts like one of Cilium's prefixes would lose it when it is read.
            let key = LabelKey.canonical(key) == key ? key : "any:" + key
            return "      \(quotedScalar(key)): \(quotedScalar(value))"
        }
    }

    /// The rules.
    private var egress: [String] {
        guard !entries.isEmpty else { return ["  egress:", "    - {}  # nothing was asked for: nothing is allowed"] }
        var lines = [
            "  egress:", "    - toEndpoints:", "        - matchLabels:",
            "            k8s:io.kubernetes.pod.namespace: kube-system", "            k8s-app: kube-dns",
            "      toPorts:",
            "        - ports:", "            - {port: \"53\", protocol: ANY}", "          rules:", "            dns:",
        ]
        for entry in entries { lines += item(entry, indent: "              ", withComment: true) }
        if options.learns {
            lines += ["    # Every port is open to these: add toPorts to say which are needed.", "    - toFQDNs:"]
            for entry in entries { lines += item(entry, indent: "        ", withComment: false) }
        }
        return lines
    }

    /// One name or pattern.
    private func item(_ entry: PolicySuggestion.Entry, indent: String, withComment: Bool) -> [String] {
        var remarks: [String] = []
        if entry.isPattern { remarks.append("\(entry.names) names such as \(entry.example)") }
        if options.showsCounts { remarks.append("\(entry.queries) \(entry.queries == 1 ? "query" : "queries")") }
        let key = entry.isPattern ? "matchPattern" : "matchName"
        let comment = withComment && !remarks.isEmpty ? "  # \(remarks.joined(separator: ", "))" : ""
        return ["\(indent)- \(key): \(quotedScalar(entry.text))\(comment)"]
    }

    /// The identity's name in the characters that names of Kubernetes objects have (RFC 1123).
    private var resourceName: String {
        let bytes = identity.name.lowercased().utf8.prefix(200).map { byte in
            byte &- 97 < 26 || byte &- 48 < 10 ? byte : UInt8(ascii: "-")
        }
        let text = String(decoding: bytes, as: UTF8.self).split(separator: "-").joined(separator: "-")
        return text.isEmpty ? "identity" : text
    }

    /// A text as YAML's double-quoted scalar.
    private func quotedScalar(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\u{20}"..."\u{7E}": result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            }
        }
        return result + "\""
    }

    /// A text without anything that could end a comment or confuse a terminal.
    private func printable(_ text: String) -> String {
        text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
    }
}
