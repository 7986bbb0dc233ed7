/// The table in the text form of nftables: what is always there, and how its parts are written.
package struct Ruleset: Hashable, Sendable {
    /// The name of the table, of the family inet.
    package var table: String
    /// What happens to forwarded packets of which nothing else says what.
    package var policy: Policy

    /// What can happen to a packet that no opening allows.
    package enum Policy: String, Sendable, CaseIterable {
        /// It is dropped, whoever sent it.
        case drop
        /// It is dropped if a known identity sent it; all others may pass.
        case accept
    }

    /// The table `table`.
    package init(table: String, policy: Policy) {
        self.table = table
        self.policy = policy
    }

    /// The base chain; it is made once and never again, because a hook that is registered anew has no rules for a moment.
    package static let baseChain = "forward"

    /// The identity of all clients that no other identity has; policies may select it (`reserved:unknown`).
    package static let unknown: UInt64 = 0

    /// The identities whose chains are there whatever the feed says: with the policy `drop` the base chain ends in that
    /// of unknown clients.
    package var constantIdentities: [UInt64] { policy == .drop ? [Ruleset.unknown] : [] }

    /// The chain of an identity.
    package static func chain(_ identity: UInt64) -> String { "identity_\(identity)" }

    /// The map from client addresses to chains.
    package static func clients(isIPv4: Bool) -> String { isIPv4 ? "clients_v4" : "clients_v6" }

    /// What the base chain is declared as.
    package static let baseDeclaration = "type filter hook forward priority filter; policy accept;"

    /// Makes the table, its base chain and its counter, where they are not there yet.
    package var foundation: String {
        """
        add table inet \(table)
        add chain inet \(table) \(Ruleset.baseChain) { \(Ruleset.baseDeclaration) }
        add counter inet \(table) dropped { comment "all that no opening allowed"; }

        """
    }

    /// Rules of the base chain.
    package static let baseRuleCount = 4

    /// Makes the maps of clients where they are not there yet, and the rules of the base chain, which must be empty.
    package var baseRules: String {
        let start = "add rule inet \(table) \(Ruleset.baseChain)"
        let end =
            switch policy {
            case .drop: "jump \(Ruleset.chain(Ruleset.unknown)) comment \"not a known client\""
            case .accept: "counter accept comment \"not a known client\""
            }
        return """
            add map inet \(table) clients_v4 { type ipv4_addr : verdict; flags interval; }
            add map inet \(table) clients_v6 { type ipv6_addr : verdict; flags interval; }
            \(start) ct state established,related counter accept comment "what was let through before, and replies"
            \(start) ip saddr vmap @clients_v4
            \(start) ip6 saddr vmap @clients_v6
            \(start) \(end)

            """
    }

    /// Makes the chain of an identity, without rules.
    package func emptyChain(_ identity: UInt64, comment: String) -> String {
        "add chain inet \(table) \(Ruleset.chain(identity)) { comment \"\(comment)\"; }\n"
    }

    /// The one rule that is always in the chain of an identity, and its last.
    package func lastRule(_ identity: UInt64) -> String {
        """
        add rule inet \(table) \(Ruleset.chain(identity)) \
        counter name dropped counter drop comment "nothing that was learned allows it"

        """
    }

    /// Makes a set, and the rule that looks into it.
    package func set(_ set: ElementSet, comment: String) -> String {
        """
        add set inet \(table) \(set.name) { \(set.declaration) comment "\(comment)"; }
        insert rule inet \(table) \(Ruleset.chain(set.identity)) \(set.key) @\(set.name) counter accept

        """
    }

    /// `text` as it may stand between the quotes of a comment: bounded, and without what ends it.
    package static func comment(_ text: String) -> String {
        if text.utf8.count <= 100, text.utf8.allSatisfy({ isPlain(Unicode.Scalar($0)) }) { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(100).map { isPlain($0) ? $0 : "?" }))
    }

    /// Whether a comment may have `scalar`.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_", "/", ":", "*", " ": true
        default: false
        }
    }
}
