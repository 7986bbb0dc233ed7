/// All specs of all policies, the order of the documents kept, and which of them concern an identity.
struct PolicyUnits {
    /// A spec and what belongs to it.
    struct Unit {
        /// Index of its policy.
        let policy: Int
        /// Whether the policy is in audit.
        let isAudit: Bool
        /// Whether the policy matches CNAME targets.
        let matchesAliases: Bool
        /// The spec.
        let spec: PolicyDocument.Spec
        /// Index in `rules` of its first rule.
        let firstRule: Int
    }

    /// A label that an identity must have to be selected.
    private struct Label: Hashable {
        /// Its key.
        let key: String
        /// Its value.
        let value: String
    }

    /// The specs.
    private(set) var list: [Unit] = []
    /// What is kept of each rule, in the order of documents.
    private(set) var rules: [PolicySnapshot.RuleSummary] = []
    /// The lists of ports that rules have, each once.
    private(set) var portLists: [[PortRange]] = []
    /// Patterns of all documents.
    private(set) var ruleCount = 0
    /// Specs by a label that they ask for; each is in the lists of one condition only.
    private var byLabel: [Label: [Int]] = [:]
    /// Specs that ask for no label, and so have to be asked about every identity.
    private var others: [Int] = []

    /// The specs of `policies`.
    init(_ policies: [PolicyDocument]) {
        var portIndices: [[PortRange]: UInt32] = [:]
        for (index, policy) in policies.enumerated() {
            for (number, spec) in policy.specs.enumerated() {
                file(list.count, spec.selector)
                list.append(
                    Unit(
                        policy: index, isAudit: policy.isAudit, matchesAliases: policy.matchesAliases, spec: spec,
                        firstRule: rules.count))
                for rule in spec.egress {
                    let ports = rule.learnedPorts
                    let known = portIndices[ports]
                    let portIndex = known ?? UInt32(truncatingIfNeeded: portLists.count)
                    if known == nil {
                        portIndices[ports] = portIndex
                        portLists.append(ports)
                    }
                    rules.append(
                        PolicySnapshot.RuleSummary(
                            policy: UInt32(truncatingIfNeeded: index), spec: UInt32(truncatingIfNeeded: number),
                            number: UInt32(truncatingIfNeeded: rule.number), ports: portIndex, isDeny: rule.isDeny))
                    ruleCount += rule.toFQDNs?.count ?? 0
                    for port in rule.toPorts ?? [] { ruleCount += port.dns?.count ?? 0 }
                }
            }
        }
    }

    /// The indices of the specs that select `identity`, in order.
    func selecting(_ identity: Identity) -> [Int] {
        var candidates = others
        for (key, value) in identity.labels { candidates += byLabel[Label(key: key, value: value)] ?? [] }
        if identity.id != .unknown {
            for key in Identity.namespaceLabels {
                candidates += byLabel[Label(key: key, value: identity.namespace)] ?? []
            }
        }
        return candidates.filter { list[$0].spec.selector.selects(identity) }.sorted()
    }

    /// Files a spec under the condition that probably selects the fewest identities: a label before the namespace.
    private mutating func file(_ index: Int, _ selector: EndpointSelector) {
        let asked = selector.requirements.filter { $0.operator == .isIn }
        let best = asked.first { !Identity.namespaceLabels.contains($0.key) } ?? asked.first
        guard let best else {
            others.append(index)
            return
        }
        for value in Set(best.values) { byLabel[Label(key: best.key, value: value), default: []].append(index) }
    }
}
