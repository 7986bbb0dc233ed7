/// One policy document as far as it is about names.
package struct PolicyDocument: Sendable {
    /// The kinds of document that are understood.
    package enum Kind: String, Sendable, CaseIterable {
        /// A policy for the identities of one namespace.
        case namespaced = "CiliumNetworkPolicy"
        /// A policy for identities of any namespace, and for unknown clients.
        case clusterwide = "CiliumClusterwideNetworkPolicy"
    }

    /// One `spec`.
    package struct Spec: Sendable {
        /// Whom it is about.
        package let selector: EndpointSelector
        /// Whether whom it selects may do only what is allowed.
        package let enablesDefaultDeny: Bool
        /// The rules of `egress` and `egressDeny`.
        package let egress: [EgressRule]

        /// A spec from its parts.
        package init(selector: EndpointSelector, enablesDefaultDeny: Bool = true, egress: [EgressRule]) {
            self.selector = selector
            self.enablesDefaultDeny = enablesDefaultDeny
            self.egress = egress
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
    /// Whether what it would deny is reported and not denied.
    package let isAudit: Bool
    /// Whether its `toFQDNs` match CNAME targets too.
    package let matchesAliases: Bool
    /// Its specs.
    package let specs: [Spec]

    /// A document from its parts.
    package init(
        kind: Kind, namespace: String?, name: String, file: String, line: Int, isAudit: Bool = false,
        matchesAliases: Bool = false, specs: [Spec]
    ) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.file = file
        self.line = line
        self.isAudit = isAudit
        self.matchesAliases = matchesAliases
        self.specs = specs
    }

    /// How users name it: `namespace/name`, or the bare name of a clusterwide policy.
    package var title: String { namespace.map { "\($0)/\(name)" } ?? name }
}
