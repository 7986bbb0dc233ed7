import DNSWire

/// Reads an `identities` document.
struct IdentityReader {
    /// Where problems go.
    let problems: DocumentProblems

    /// The entries of the document that can be read.
    func identities(_ node: DocumentNode) -> [IdentityEntry] {
        node.mapping(problems) { root in
            (root.elements("identities", required: true) ?? []).compactMap { entry($0) }
        } ?? []
    }

    /// One entry.
    private func entry(_ node: DocumentNode) -> IdentityEntry? {
        let entry: IdentityEntry?? = node.mapping(problems) { entry in
            let name = entry.value("name", required: true)
            let namespace = entry.value("namespace")
            let labels = entry.value("labels").map { self.labels($0) } ?? [:]
            let prefixes = self.prefixes(entry.value("addresses")) + self.prefixes(entry.value("prefixes"))
            guard let name = name.flatMap({ text($0) }) else { return nil }
            return IdentityEntry(
                name: name, namespace: namespace.flatMap { text($0) } ?? "default", labels: labels,
                prefixes: prefixes, place: node.place)
        }
        return entry ?? nil
    }

    /// A name of an identity or a namespace: not empty, no blanks or control characters, no slash.
    private func text(_ node: DocumentNode) -> String? {
        node.value("a name without blanks and slashes", problems) { text in
            let isName =
                !text.isEmpty
                && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "/" }
            return isName ? text : nil
        }
    }

    /// The labels; a label without value has the empty one.
    private func labels(_ node: DocumentNode) -> [String: String] {
        guard !node.isNull else { return [:] }
        var labels: [String: String] = [:]
        node.mapping(problems) { mapping in
            mapping.acceptAllKeys()
            for pair in mapping.pairs {
                let key = LabelKey.canonical(pair.key)
                let value = pair.value.isNull ? "" : pair.value.string(problems) ?? ""
                if key.isEmpty {
                    problems.error(pair.value, "a label needs a key")
                } else if key == Identity.reservedLabel || key.hasPrefix("reserved:") {
                    problems.error(pair.value, "reserved labels belong to the daemon's own identities")
                } else if Identity.namespaceLabels.contains(key) {
                    problems.error(pair.value, "the namespace is not a label here: use the key namespace")
                } else if labels.updateValue(value, forKey: key) != nil {
                    problems.error(pair.value, "the label \(quoted(key)) is there twice")
                }
            }
        }
        return labels
    }

    /// The addresses and prefixes of a list.
    private func prefixes(_ node: DocumentNode?) -> [IdentityEntry.Prefix] {
        (node?.elements(problems) ?? []).compactMap { element in
            element.value("an IP address or a prefix such as 10.0.0.0/24 whose host bits are zero", problems) {
                IPPrefix($0)
            }
            .map {
                IdentityEntry.Prefix($0, place: element.place)
            }
        }
    }
}
