package import DNSWire

/// One entry of an `identities` document.
package struct IdentityEntry: Sendable {
    /// An address or prefix with the place where it is written.
    package struct Prefix: Sendable {
        /// The range of client addresses.
        package let prefix: IPPrefix
        /// Where it is written.
        package let place: DocumentPlace

        /// A prefix from its parts.
        package init(_ prefix: IPPrefix, place: DocumentPlace) {
            self.prefix = prefix
            self.place = place
        }
    }

    /// The name for people.
    package let name: String
    /// The namespace.
    package let namespace: String
    /// The labels, the implicit one included.
    package let labels: [String: String]
    /// The client addresses.
    package let prefixes: [Prefix]
    /// Where the entry stands.
    package let place: DocumentPlace

    /// An entry from its parts; without labels it gets the implicit label `name`.
    package init(
        name: String, namespace: String, labels: [String: String], prefixes: [Prefix], place: DocumentPlace
    ) {
        self.name = name
        self.namespace = namespace
        self.labels = labels.isEmpty ? ["name": name] : labels
        self.prefixes = prefixes
        self.place = place
    }
}
