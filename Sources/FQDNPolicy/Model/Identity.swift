public import DNSWire

/// The labelled thing that owns client addresses; one set of labels in one namespace is one identity.
public struct Identity: Hashable, Sendable {
    /// The stable number, a function of namespace and labels.
    public let id: IdentityID
    /// Every name that documents give to this set of labels, in the order of reading; at least one.
    public let names: [String]
    /// The namespace; empty for unknown clients.
    public let namespace: String
    /// The labels, never empty.
    public let labels: [String: String]
    /// The client addresses, without duplicates, in order.
    public let prefixes: [IPPrefix]

    /// An identity from its parts.
    package init(id: IdentityID, names: [String], namespace: String, labels: [String: String], prefixes: [IPPrefix]) {
        self.id = id
        self.names = names
        self.namespace = namespace
        self.labels = labels
        self.prefixes = prefixes
    }

    /// The first of the names.
    public var name: String { names.first ?? "" }

    /// How users name it: `namespace/name`, or `reserved:unknown`.
    public var title: String { id == .unknown ? name : "\(namespace)/\(name)" }

    /// The key that only the identities of this daemon have as a label.
    static let reservedLabel = "reserved"

    /// The keys under which selectors ask for the namespace.
    static let namespaceLabels: Set<String> = [
        "io.kubernetes.pod.namespace", "io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name",
    ]

    /// Whoever asks from an address that no document names.
    public static let unknown = Identity(
        id: .unknown, names: ["reserved:unknown"], namespace: "", labels: [reservedLabel: "unknown"], prefixes: [])
}
