import DNSWire

/// All compiled rules, as flat arrays of plain data that refer to each other by index.
///
/// Identities with the same policies share a rule set. A rule set has its exact names in an open-addressed table of
/// its own, and its patterns in a trie over labels from the right, whose literal edges of all rule sets are in one
/// open-addressed table. Index 0 of nodes, globs and entries is nobody, so that 0 can mean "none". The cost of a
/// lookup depends on the number of labels of the name, and on how many globs such as `api-*` stand side by side at
/// one place of the trie; not on the number of rules.
struct RuleTables: Sendable {
    /// Where the rules of one set of policies are.
    struct RuleSet: Sendable {
        /// First slot of its exact names.
        var exactBase: UInt32 = 0
        /// Slots of its exact names, a power of two, less one; meaningless without names.
        var exactMask: UInt32 = 0
        /// Whether it has exact names.
        var hasExactNames = false
        /// Root of its trie; 0 without patterns.
        var root: UInt32 = 0
        /// What holds for every name.
        var every = Match()
        /// What holds for every name of star-matched labels.
        var plain = Match()
        /// All effects that any of its rules has: when they are all found, no further search is needed.
        var possible: RuleEffects = []
        /// Its entries: the first one's index, and the index behind the last one.
        var entries: Range<UInt32> = 0..<0
        /// Whether a policy that is enforced selects the identities.
        var isEnforced = false
        /// Whether a policy that is in audit selects the identities.
        var isAudited = false
        /// Whether a policy that is enforced lets them do only what is allowed.
        var defaultDenies = false
        /// Whether a policy that is in audit would let them do only what is allowed.
        var auditDefaultDenies = false
    }

    /// The rules that match at one place, summed up.
    struct Match: Sendable {
        /// What they do.
        var effects: RuleEffects = []
        /// The last of their entries; 0 when there are none.
        var head: UInt32 = 0
    }

    /// A slot of an exact name.
    struct ExactSlot: Sendable {
        /// The upper half of the name's hash.
        var tag: UInt32 = 0
        /// Where the canonical wire form starts in `bytes`.
        var name: UInt32 = 0
        /// The rules for the name; a head of 0 means that the slot is empty.
        var match = Match()
    }

    /// A place in a trie: everything below is about names that end in the same labels.
    struct Node: Sendable {
        /// Patterns that end here.
        var terminal = Match()
        /// Patterns that have one or more further labels, whatever they are.
        var deep = Match()
        /// Where a label of any star-matched bytes leads to; 0 for nowhere.
        var star: UInt32 = 0
        /// The first of the globs that a label may match; 0 for none.
        var glob: UInt32 = 0
        /// Whether there are literal edges.
        var hasLiterals = false
    }

    /// A label pattern with a star and something else, such as `api-*`.
    struct Glob: Sendable {
        /// The next one of the same node; 0 for none.
        var next: UInt32 = 0
        /// The node that it leads to.
        var child: UInt32 = 0
        /// Where its length byte is in `bytes`.
        var text: UInt32 = 0
    }

    /// A slot of an edge for one literal label.
    struct EdgeSlot: Sendable {
        /// Hash of node and label.
        var hash: UInt32 = 0
        /// The node that it starts from.
        var parent: UInt32 = 0
        /// The node that it leads to; 0 means that the slot is empty.
        var child: UInt32 = 0
        /// Where the label's length byte is in `bytes`.
        var label: UInt32 = 0
    }

    /// One pattern of one rule, for explanations and for the ports of what is learned.
    struct Entry: Sendable {
        /// How the text is to be read.
        enum Form: UInt8, Sendable {
            /// A wire name, from a `matchName`.
            case matchName
            /// A wire name, from a `matchPattern` without stars.
            case exactPattern
            /// Label globs.
            case globs
            /// Label globs with `**.` before them.
            case deepGlobs
            /// `*`.
            case everyName
            /// No pattern: the rule has no `rules.dns`.
            case noNames
        }

        /// The entry before it for the same names; 0 for none.
        var next: UInt32 = 0
        /// Index of the rule in the snapshot.
        var rule: UInt32 = 0
        /// Where the text starts in `bytes`.
        var text: UInt32 = 0
        /// Line in the rule's file.
        var line: UInt32 = 0
        /// What it does.
        var effects: RuleEffects = []
        /// How the text is to be read.
        var form: Form = .noNames
    }

    /// One per distinct set of policies.
    var ruleSets: [RuleSet] = []
    /// Exact names of all rule sets.
    var exact: [ExactSlot] = []
    /// Places of all tries.
    var nodes: [Node] = [Node()]
    /// Globs of all nodes.
    var globs: [Glob] = [Glob()]
    /// Literal edges of all nodes; a power of two of slots.
    var edges: [EdgeSlot] = [EdgeSlot()]
    /// Patterns of all rules.
    var entries: [Entry] = [Entry()]
    /// Wire names, labels and globs.
    var bytes: [UInt8] = []
    /// The key of label hashes.
    var seed = LabelHash.Seed()

    /// The text of an entry, as a document has it.
    func text(of entry: Entry) -> String {
        let rest = bytes[min(Int(entry.text), bytes.count)...]
        switch entry.form {
        case .matchName: return "matchName: \"\(RuleTables.nameText(rest))\""
        case .exactPattern: return "matchPattern: \"\(RuleTables.nameText(rest))\""
        case .globs: return "matchPattern: \"\(Pattern.text(globs: rest, isDeep: false))\""
        case .deepGlobs: return "matchPattern: \"\(Pattern.text(globs: rest, isDeep: true))\""
        case .everyName: return "matchPattern: \"*\""
        case .noNames: return "no rules.dns: every name"
        }
    }

    /// The pattern of an entry without its key; nil when it has none.
    func patternText(of entry: Entry) -> String? {
        let rest = bytes[min(Int(entry.text), bytes.count)...]
        switch entry.form {
        case .matchName, .exactPattern: return RuleTables.nameText(rest)
        case .globs: return Pattern.text(globs: rest, isDeep: false)
        case .deepGlobs: return Pattern.text(globs: rest, isDeep: true)
        case .everyName, .noNames: return nil
        }
    }

    /// The text of a wire name: that of globs without stars; the root is a dot.
    private static func nameText(_ bytes: ArraySlice<UInt8>) -> String {
        let text = Pattern.text(globs: bytes, isDeep: false)
        return text.isEmpty ? "." : text
    }
}
