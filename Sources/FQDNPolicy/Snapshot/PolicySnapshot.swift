public import DNSWire

/// Who may ask for what: all policies and identities, compiled, immutable, replaced as a whole.
///
/// Reading it takes no lock and no memory. Names must be hashed with `HashSeed.process`, the default of `NameBuffer`.
public final class PolicySnapshot: Sendable {
    /// Counts reloads; a verdict that is remembered is good only under the generation that it was made in.
    public let generation: UInt64
    /// The settings that it was compiled with.
    public let options: PolicyOptions
    /// The identities; unknown clients are the first, the rest is in order of namespace and name.
    public let identities: [Identity]
    /// Policy documents.
    public let policyCount: Int
    /// Patterns under `rules.dns` and `toFQDNs` of all documents.
    public let ruleCount: Int

    /// Whether a policy also selects names that are CNAME targets, so that answers have to be looked at for them.
    public let matchesAliases: Bool

    /// Whether a query may be answered only because of audit.
    public var audits: Bool { options.enforcement == .audit || policies.contains(where: \.isAudit) }

    /// Whether there is a policy document that is about queries.
    let judgesQueries: Bool
    /// The compiled rules.
    let tables: RuleTables
    /// For each identity the index of its rule set.
    let ruleSets: [UInt32]
    /// For each rule set the indices of the policies that select its identities.
    let selectingPolicies: [[Int]]
    /// The policies, for explanations.
    let policies: [PolicySummary]
    /// The rules of the policies, for explanations and ports.
    let rules: [RuleSummary]
    /// The lists of ports that rules have.
    let portLists: [[PortRange]]
    /// From client addresses to indices of `identities`.
    private let addresses: AddressTable

    /// What explanations tell about a policy.
    struct PolicySummary: Sendable {
        /// `namespace/name`, or the name of a clusterwide policy.
        let title: String
        /// Its file.
        let file: String
        /// Its kind.
        let kind: PolicyDocument.Kind
        /// Whether it is in audit.
        let isAudit: Bool
        /// The key paths of its specs.
        let specs: [String]

        /// What is kept of a document.
        init(_ document: PolicyDocument) {
            title = document.title
            file = document.file
            kind = document.kind
            isAudit = document.isAudit
            specs = document.specs.map(\.path)
        }

        /// Whether it says anything about queries.
        var isAboutQueries: Bool { kind != .kubernetes }
    }

    /// What is needed of a rule once its patterns are compiled.
    struct RuleSummary: Sendable {
        /// Index of its policy.
        let policy: UInt32
        /// Index of its spec in the policy.
        let spec: UInt32
        /// Its index in `egress` or `egressDeny`.
        let number: UInt32
        /// Index of its list of ports for learned addresses.
        let ports: UInt32
        /// Whether it is one of `egressDeny`.
        let isDeny: Bool
    }

    /// What the compiler made.
    init(
        generation: UInt64, options: PolicyOptions, identities: [Identity], policyCount: Int, ruleCount: Int,
        tables: RuleTables, ruleSets: [UInt32], selectingPolicies: [[Int]], policies: [PolicySummary],
        rules: [RuleSummary], portLists: [[PortRange]], addresses: AddressTable
    ) {
        self.generation = generation
        self.options = options
        self.identities = identities
        self.policyCount = policyCount
        self.ruleCount = ruleCount
        self.tables = tables
        self.ruleSets = ruleSets
        self.selectingPolicies = selectingPolicies
        self.policies = policies
        judgesQueries = policies.contains(where: \.isAboutQueries)
        self.rules = rules
        self.portLists = portLists
        self.addresses = addresses
        matchesAliases = tables.entries.contains { $0.effects.contains(.selectsAliases) }
    }

    /// Index in `identities` of the client at `address`, by the longest prefix that contains it; 0 for an unknown one.
    public func identityIndex(of address: IPAddress) -> Int {
        addresses.identity(of: address)
    }

    /// Index in `identities` of the identity with this number; nil when there is none. Searches all of them.
    public func identityIndex(of id: IdentityID) -> Int? {
        identities.firstIndex { $0.id == id }
    }

    /// Whether the client of `identity` (an index; any other number is an unknown client) may ask for `name`, and
    /// whether the answer is learned.
    public func verdict(
        identity: Int, name: borrowing NameBuffer, transport: QueryTransport
    ) -> Verdict {
        let ruleSet = ruleSet(of: identity)
        let isUnknown = identity == 0 || !ruleSets.indices.contains(identity)
        var found = EffectsVisitor()
        tables.walk(ruleSet, name, &found)
        let effects = found.effects
        let mayLearn = !effects.contains(.deniesLearning)
        return Verdict(
            outcome: outcome(effects, ruleSet, isUnknown: isUnknown, transport),
            isSelected: mayLearn && effects.contains(.selects),
            isSelectedAsAlias: mayLearn && effects.contains(.selectsAliases))
    }

    /// The policy that a rule belongs to.
    func policy(of rule: RuleSummary) -> PolicySummary { policies[Int(rule.policy)] }

    /// The rule set of an identity; of an unknown client for any number that is none.
    @inline(__always)
    func ruleSet(of identity: Int) -> RuleTables.RuleSet {
        tables.ruleSets[Int(ruleSets[ruleSets.indices.contains(identity) ? identity : 0])]
    }

    /// What becomes of a query whose name has rules with these effects.
    ///
    /// A policy in audit never causes a denial: a query is denied only if it is both with the audited policies in
    /// force and without them; when one of the two would deny, it is answered and reported.
    func outcome(
        _ effects: RuleEffects, _ ruleSet: RuleTables.RuleSet, isUnknown: Bool, _ transport: QueryTransport
    ) -> Verdict.Outcome {
        if options.enforcement == .never { return .allowed }
        if isUnknown, !ruleSet.isEnforced, !ruleSet.isAudited {
            switch (judgesQueries, options.unknownClients) {
            case (true, .refuse): return options.enforcement == .audit ? .audited : .prohibited
            case (true, .allow): return .allowed
            case (false, _): return options.enforcement == .always ? .denied : .allowed
            }
        }
        let isAlways = options.enforcement == .always
        let allows = effects.has(.allowsUDP, transport)
        let denies = effects.has(.deniesUDP, transport)
        let enforcedAllows = !denies && (allows || !(isAlways || ruleSet.defaultDenies))
        guard ruleSet.isAudited else {
            return enforcedAllows ? .allowed : options.enforcement == .audit ? .audited : .denied
        }
        let allAllow =
            !denies && !effects.has(.auditDeniesUDP, transport)
            && (allows || effects.has(.auditAllowsUDP, transport)
                || !(isAlways || ruleSet.defaultDenies || ruleSet.auditDefaultDenies))
        switch (enforcedAllows, allAllow) {
        case (true, true): return .allowed
        case (true, false), (false, true): return .audited
        case (false, false):
            // Under `always` an identity whose policies are all in audit is not denied for having no other.
            return options.enforcement == .audit || !ruleSet.isEnforced ? .audited : .denied
        }
    }
}
