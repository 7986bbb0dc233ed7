import DNSWire

/// Merges the entries of identities documents into identities.
struct IdentityCompiler {
    /// Where problems go.
    private let problems: DocumentProblems

    /// A compiler that notes problems in `problems`.
    init(_ problems: DocumentProblems) {
        self.problems = problems
    }

    /// What is gathered of one identity.
    private struct Draft {
        /// Its number.
        let id: IdentityID
        /// Namespace of all its entries.
        let namespace: String
        /// Labels of all its entries.
        let labels: [String: String]
        /// Names of its entries.
        var names: [String] = []
        /// Addresses of its entries.
        var prefixes: Set<IPPrefix> = []
    }

    /// The identities, unknown clients first, the rest in order of namespace and first name.
    ///
    /// Entries with the same labels in the same namespace are one identity. An error is noted for one name with
    /// different labels, and for one prefix with different identities, each with both places.
    func identities(_ entries: [IdentityEntry]) -> [Identity] {
        var drafts: [IdentityID: Draft] = [:]
        var owners: [String: (id: IdentityID, place: DocumentPlace)] = [:]
        var prefixes: [IPPrefix: (id: IdentityID, title: String, place: DocumentPlace)] = [:]
        for entry in entries {
            let id = IdentityID(namespace: entry.namespace, labels: entry.labels)
            let title = "\(entry.namespace)/\(entry.name)"
            if let owner = owners[title], owner.id != id {
                error(entry.place, "the identity \(quoted(title)) is at \(owner.place.text) with other labels")
                continue
            }
            owners[title] = (id, entry.place)
            var draft = drafts[id] ?? Draft(id: id, namespace: entry.namespace, labels: entry.labels)
            guard draft.namespace == entry.namespace, draft.labels == entry.labels else {
                error(entry.place, "the identity number \(id) is already taken; change a label")
                continue
            }
            if !draft.names.contains(entry.name) { draft.names.append(entry.name) }
            for prefix in entry.prefixes {
                if let other = prefixes[prefix.prefix], other.id != id {
                    error(
                        prefix.place,
                        "\(prefix.prefix) already belongs to the identity \(quoted(other.title)) "
                            + "at \(other.place.text)")
                } else {
                    prefixes[prefix.prefix] = (id, title, prefix.place)
                    draft.prefixes.insert(prefix.prefix)
                }
            }
            drafts[id] = draft
        }
        let known = drafts.values.map { draft in
            Identity(
                id: draft.id, names: draft.names, namespace: draft.namespace, labels: draft.labels,
                prefixes: draft.prefixes.sorted { ($0.address, $0.bits) < ($1.address, $1.bits) })
        }
        return [.unknown] + known.sorted { ($0.namespace, $0.name, $0.id) < ($1.namespace, $1.name, $1.id) }
    }

    /// Notes an error at a place.
    private func error(_ place: DocumentPlace, _ message: String) {
        problems.add(place.problem(.error, message))
    }
}
