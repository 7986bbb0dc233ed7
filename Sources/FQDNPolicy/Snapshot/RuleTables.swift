import DNSWire

/// All compiled rules, as flat arrays of plain data that refer to each other by index.
///
/// The rules that concern an identity are its rule set: one or a few layers, each shared with every other identity
/// that has the same rules. A layer has its exact names in buckets of its own and its patterns in a
/// trie over labels from the right. Labels that are partly stars, such as `api-*`, are found by their text before the
/// first star, behind the last one, and between them (see `GlobNode`). The nodes of all tries are one hash table.
///
/// So the cost of a lookup depends on the name, and on how many rules match it, not on how many there are. Index 0 of
/// nodes, glob nodes and entries is nobody, so that 0 can mean "none".
struct RuleTables: Sendable {
    /// The rules for some identities.
    struct RuleSet: Sendable {
        /// Where its layers are in `layerLists`.
        var layers: Range<UInt32> = 0..<0
        /// All effects that any of its rules has: when they are all found, no further search is needed.
        var possible: RuleEffects = []
        /// Whether a policy that is enforced selects the identities.
        var isEnforced = false
        /// Whether a policy that is in audit selects the identities.
        var isAudited = false
        /// Whether a policy that is enforced lets them do only what is allowed.
        var defaultDenies = false
        /// Whether a policy that is in audit would let them do only what is allowed.
        var auditDefaultDenies = false
    }

    /// Rules that are always in force together.
    struct Layer: Sendable {
        /// First bucket of its exact names.
        var firstBucket: UInt32 = 0
        /// Buckets of its exact names; 0 without any. One more follows, which only tells where the last one ends.
        var bucketCount: UInt32 = 0
        /// Root of its trie; 0 without patterns.
        var root: UInt32 = 0
        /// What holds for every name.
        var every = Match()
        /// What holds for every name of star-matched labels.
        var plain = Match()
        /// All effects that any of its rules has.
        var possible: RuleEffects = []
        /// Its entries: the first one's index, and the index behind the last one.
        var entries: Range<UInt32> = 0..<0
    }

    /// The rules that match at one place, summed up.
    struct Match: Sendable {
        /// What they do.
        var effects: RuleEffects = []
        /// The last of their entries; 0 when there are none.
        var head: UInt32 = 0
    }

    /// A place in a trie: everything below is about names that end in the same labels.
    ///
    /// Half a cache line, with what is needed to know that it is the right one for a label of up to eight bytes.
    struct Node: Sendable {
        /// The last eight bytes of the label that leads here, the first of them lowest.
        var key: UInt64 = 0
        /// The node that the label starts from.
        var parent: UInt32 = 0
        /// Where the label's first byte is in `bytes`.
        var text: UInt32 = 0
        /// Where a label of any star-matched bytes leads to; 0 for nowhere.
        var star: UInt32 = 0
        /// The `GlobNode` that labels with stars and other text start from; 0 for none.
        var globs: UInt32 = 0
        /// What patterns do that end here.
        var terminal: RuleEffects = []
        /// What patterns do that have one further label, a star.
        var oneMore: RuleEffects = []
        /// What patterns do that have one or more further labels, whatever they are.
        var deep: RuleEffects = []
        /// Length of the label, 1 to 63; `noLabel` when no text leads here, 0 for a free slot of the table.
        var length: UInt8 = 0
        /// Whether there are labels without stars.
        var hasLiterals = false

        /// The length in nodes that are the root of a trie or behind a label with stars.
        static let noLabel: UInt8 = .max

        /// Whether no node is here.
        @inline(__always)
        var isFree: Bool { length == 0 }

        /// Where the search for a node starts in a table of `count` slots, the first of which is nobody's.
        @inline(__always)
        static func start(_ hash: UInt32, count: Int) -> Int {
            1 + Int(truncatingIfNeeded: (UInt64(hash) &* UInt64(truncatingIfNeeded: count - 1)) >> 32)
        }

        /// Where it goes on behind `index`.
        @inline(__always)
        static func next(_ index: Int, count: Int) -> Int { index + 1 == count ? 1 : index + 1 }
    }

    /// A place in the search for labels such as `api-*`, `*-db` or `a*b*c`.
    ///
    /// The text behind the last star leads from the node's root to a second place, the text before the first star
    /// from there to a third, and each text between stars one further, found as far left as possible: whatever can
    /// be found behind a later occurrence can be found behind an earlier one. So no place is entered twice.
    struct GlobNode: Sendable {
        /// The lengths of the texts that lead on from here: bit n for a length of n bytes.
        var lengths: UInt64 = 0
        /// The glob node that the text starts from.
        var parent: UInt32 = 0
        /// Where the text that leads here is in `bytes`.
        var text: UInt32 = 0
        /// The node behind a label that matches up to here; 0 for none.
        var node: UInt32 = 0
        /// Length of the text.
        var length: UInt8 = 0
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
            /// A wire name, from `domainNames`.
            case domainName
            /// A wire name with `*.` before it, from `domainNames`.
            case deepDomainName
            /// `*`.
            case everyName
            /// No pattern: the rule has no `rules.dns`.
            case noNames
        }

        /// The entry before it at the same place; 0 for none.
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
        /// Which of the effects of its place it is part of.
        var place: Place = .terminal
    }

    /// What of a node a pattern counts for.
    enum Place: UInt8, Sendable {
        /// It ends there, or is not in a trie at all.
        case terminal
        /// It has one further label, a star.
        case oneMore
        /// It has one or more further labels.
        case deep
    }

    /// One per distinct set of policies.
    var ruleSets: [RuleSet] = []
    /// The layers of all rule sets, as ranges of indices of `layers`.
    var layerLists: [UInt32] = []
    /// The layers.
    var layers: [Layer] = []
    /// Where the exact names of all layers are, bucket by bucket; see `NameBucket`.
    var places: [UInt32] = []
    /// The marks of the same buckets.
    var marks: [NameBucket.Marks] = []
    /// Places of all tries, each found by the hash of its label and parent; half of the slots are free.
    var nodes: [Node] = [Node()]
    /// For each node the last of its entries.
    var heads: [UInt32] = [0]
    /// Places of all searches for globs.
    var globNodes: [GlobNode] = [GlobNode()]
    /// From parent and text to glob nodes.
    var globEdges = EdgeTable()
    /// Patterns of all rules.
    var entries: [Entry] = [Entry()]
    /// Wire names and label globs. In front of an exact name are its length, its effects and its last entry's index; see
    /// `ExactNames`.
    var bytes: [UInt8] = []
    /// The key of label hashes.
    var seed = LabelSeed()

    /// The indices of the entries of a rule set, layer by layer.
    func entryRanges(of ruleSet: RuleSet) -> [Range<Int>] {
        ruleSet.layers.map { index in
            let range = layers[Int(layerLists[Int(index)])].entries
            return Int(range.lowerBound)..<Int(range.upperBound)
        }
    }

    /// The text of an entry, as a document has it.
    func text(of entry: Entry) -> String {
        switch entry.form {
        case .matchName: "matchName: \"\(patternText(of: entry) ?? "")\""
        case .noNames: "no rules.dns: every name"
        case .domainName, .deepDomainName: "domainNames: \"\(patternText(of: entry) ?? "")\""
        case .exactPattern, .globs, .deepGlobs, .everyName: "matchPattern: \"\(patternText(of: entry) ?? "*")\""
        }
    }

    /// The pattern of an entry without its key; nil for `*` and when it has none.
    func patternText(of entry: Entry) -> String? {
        let rest = bytes[min(Int(entry.text), bytes.count)...]
        switch entry.form {
        case .matchName, .exactPattern, .domainName:
            let text = Pattern.text(globs: rest, isDeep: false)
            return text.isEmpty ? "." : text
        case .globs: return Pattern.text(globs: rest, isDeep: false)
        case .deepGlobs: return Pattern.text(globs: rest, isDeep: true)
        case .deepDomainName: return "*." + Pattern.text(globs: rest, isDeep: false)
        case .everyName, .noNames: return nil
        }
    }

    /// The four bytes at `offset` of `bytes`, an entry's index.
    func head(at offset: Int) -> UInt32 {
        guard offset >= 0, offset + 4 <= bytes.count else { return 0 }
        return (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }
}
