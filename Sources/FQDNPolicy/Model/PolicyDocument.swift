/// One policy document as far as it is about names.
package struct PolicyDocument: Sendable {
    /// The kinds of document that are understood.
    package enum Kind: String, Sendable, CaseIterable {
        /// A policy for the identities of one namespace.
        case namespaced = "CiliumNetworkPolicy"
        /// A policy for identities of any namespace, and for unknown clients.
        case clusterwide = "CiliumClusterwideNetworkPolicy"
        /// A policy of the Kubernetes network-policy API, for identities of any namespace.
        case kubernetes = "ClusterNetworkPolicy"
    }

    /// One `spec`.
    package struct Spec: Sendable {
        /// Whom it is about.
        package let selector: EndpointSelector
        /// Whether whom it selects may do only what is allowed.
        package let enablesDefaultDeny: Bool
        /// The rules of `egress` and `egressDeny`.
        package let egress: [EgressRule]
        /// Its key path: `spec`, or `specs[n]`.
        package let path: String
        /// Where its selector stands; nil when it was never text.
        package let place: DocumentPlace?
        /// Whether it is about queries at all; one that only selects what is learned leaves them alone.
        package let isAboutQueries: Bool

        /// A spec from its parts.
        package init(
            selector: EndpointSelector, isAboutQueries: Bool = true, enablesDefaultDeny: Bool = true,
            egress: [EgressRule], path: String = "spec", place: DocumentPlace? = nil
        ) {
            self.selector = selector
            self.isAboutQueries = isAboutQueries
            self.enablesDefaultDeny = enablesDefaultDeny
            self.egress = egress
            self.path = path
            self.place = place
        }
    }

    /// Which kind of document it is.
    package let kind: Kind
    /// The namespace; nil for a clusterwide policy.
    package let namespace: String?
    /// `metadata.name`.
    package let name: String
    /// The file as it was named to the reader.
    package let file: String
    /// Line of `metadata.name`.
    package let line: Int
    /// Column of `metadata.name`.
    package let column: Int
    /// Whether what it would deny is reported and not denied.
    package let isAudit: Bool
    /// Whether its `toFQDNs` match CNAME targets too.
    package let matchesAliases: Bool
    /// Its specs.
    package let specs: [Spec]

    /// A document from its parts.
    package init(
        kind: Kind, namespace: String?, name: String, file: String, line: Int, column: Int = 1,
        isAudit: Bool = false, matchesAliases: Bool = false, specs: [Spec]
    ) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.file = file
        self.line = line
        self.column = column
        self.isAudit = isAudit
        self.matchesAliases = matchesAliases
        self.specs = specs
    }

    /// How users name it: `namespace/name`, or the bare name of a clusterwide policy.
    package var title: String { namespace.map { "\($0)/\(name)" } ?? name }
}
