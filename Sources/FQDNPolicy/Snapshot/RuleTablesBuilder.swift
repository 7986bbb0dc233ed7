import DNSWire

/// Adds rules to `RuleTables`, one rule set after the other.
struct RuleTablesBuilder {
    /// What was built so far.
    private(set) var tables = RuleTables()
    /// The rule set that rules are added to now.
    private var ruleSet = RuleTables.RuleSet()
    /// Slots of `tables.edges` that are taken.
    private var edgeCount = 0

    /// Starts a rule set that will have at most `exactNames` distinct exact names.
    mutating func begin(exactNames: Int) {
        ruleSet = RuleTables.RuleSet()
        let start = UInt32(truncatingIfNeeded: tables.entries.count)
        ruleSet.entries = start..<start
        guard exactNames > 0 else { return }
        // At most two thirds full, so that a search always ends at an empty slot.
        var slots = 2
        while slots * 2 < exactNames * 3 { slots *= 2 }
        ruleSet.hasExactNames = true
        ruleSet.exactBase = UInt32(truncatingIfNeeded: tables.exact.count)
        ruleSet.exactMask = UInt32(truncatingIfNeeded: slots - 1)
        tables.exact.append(contentsOf: repeatElement(RuleTables.ExactSlot(), count: slots))
    }

    /// Notes a policy that selects the identities of the current rule set.
    mutating func addPolicy(isAudit: Bool, enablesDefaultDeny: Bool) {
        if isAudit {
            ruleSet.isAudited = true
            if enablesDefaultDeny { ruleSet.auditDefaultDenies = true }
        } else {
            ruleSet.isEnforced = true
            if enablesDefaultDeny { ruleSet.defaultDenies = true }
        }
    }

    /// Ends the rule set and returns its index.
    mutating func end() -> UInt32 {
        ruleSet.entries = ruleSet.entries.lowerBound..<UInt32(truncatingIfNeeded: tables.entries.count)
        tables.ruleSets.append(ruleSet)
        return UInt32(truncatingIfNeeded: tables.ruleSets.count - 1)
    }

    /// Adds a rule for every name.
    mutating func addEveryName(_ effects: RuleEffects, rule: UInt32, line: Int) {
        let entry = RuleTables.Entry(
            rule: rule, line: UInt32(clamping: line), effects: effects, form: .noNames)
        ruleSet.every = linked(entry, before: ruleSet.every)
    }

    /// Adds a rule for the names of a pattern, compared as `use` says.
    mutating func add(_ pattern: PatternEntry, for use: PatternUse, _ effects: RuleEffects, rule: UInt32) {
        var entry = RuleTables.Entry(rule: rule, line: UInt32(clamping: pattern.line), effects: effects)
        switch pattern.pattern.shape {
        case .everyName:
            entry.form = .everyName
            if use == .query {
                ruleSet.every = linked(entry, before: ruleSet.every)
            } else {
                ruleSet.plain = linked(entry, before: ruleSet.plain)
            }
        case .exact(let name):
            entry.form = pattern.pattern.field == .matchName ? .matchName : .exactPattern
            let slot = exactSlot(name)
            entry.text = tables.exact[slot].name
            tables.exact[slot].match = linked(entry, before: tables.exact[slot].match)
        case .globs(let globs, let isDeep):
            entry.form = isDeep ? .deepGlobs : .globs
            entry.text = intern(globs[...])
            let node = Int(trieNode(globs))
            if isDeep {
                tables.nodes[node].deep = linked(entry, before: tables.nodes[node].deep)
            } else {
                tables.nodes[node].terminal = linked(entry, before: tables.nodes[node].terminal)
            }
        }
    }

    /// Appends an entry and returns `match` with the entry at its head.
    private mutating func linked(_ entry: RuleTables.Entry, before match: RuleTables.Match) -> RuleTables.Match {
        var entry = entry
        entry.next = match.head
        ruleSet.possible.formUnion(entry.effects)
        tables.entries.append(entry)
        return RuleTables.Match(
            effects: match.effects.union(entry.effects), head: UInt32(truncatingIfNeeded: tables.entries.count - 1))
    }

    /// The slot of `name` in the current rule set, taken now if it is new.
    private mutating func exactSlot(_ name: DomainName) -> Int {
        let hash = name.hash(seed: .process)
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        var index = UInt32(truncatingIfNeeded: hash) & ruleSet.exactMask
        while true {
            let slot = Int(ruleSet.exactBase + index)
            if tables.exact[slot].match.head == 0 {
                tables.exact[slot].tag = tag
                tables.exact[slot].name = intern(name.bytes[...])
                return slot
            }
            if tables.exact[slot].tag == tag, isStored(name.bytes[...], at: tables.exact[slot].name) { return slot }
            index = (index &+ 1) & ruleSet.exactMask
        }
    }

    // MARK: The trie

    /// The node where the labels of `globs`, read from the right, lead to; the way there is made if it is new.
    private mutating func trieNode(_ globs: [UInt8]) -> UInt32 {
        if ruleSet.root == 0 { ruleSet.root = newNode() }
        var offsets: [Int] = []
        var offset = 0
        while offset < globs.count, globs[offset] != 0 {
            offsets.append(offset)
            offset += 1 + Int(globs[offset])
        }
        var node = ruleSet.root
        for offset in offsets.reversed() {
            let label = globs[offset...(offset + Int(globs[offset]))]
            let text = label.dropFirst()
            if !text.contains(UInt8(ascii: "*")) {
                node = literalChild(of: node, label)
            } else if text.count == 1 {
                node = starChild(of: node)
            } else {
                node = globChild(of: node, label)
            }
        }
        return node
    }

    /// A new node without anything below it.
    private mutating func newNode() -> UInt32 {
        tables.nodes.append(RuleTables.Node())
        return UInt32(truncatingIfNeeded: tables.nodes.count - 1)
    }

    /// The node below `parent` for any one label.
    private mutating func starChild(of parent: UInt32) -> UInt32 {
        if tables.nodes[Int(parent)].star == 0 {
            let child = newNode()
            tables.nodes[Int(parent)].star = child
        }
        return tables.nodes[Int(parent)].star
    }

    /// The node below `parent` for the labels that a length-prefixed glob matches.
    private mutating func globChild(of parent: UInt32, _ label: ArraySlice<UInt8>) -> UInt32 {
        var index = tables.nodes[Int(parent)].glob
        while index != 0 {
            let glob = tables.globs[Int(index)]
            if isStored(label, at: glob.text) { return glob.child }
            index = glob.next
        }
        let child = newNode()
        tables.globs.append(
            RuleTables.Glob(next: tables.nodes[Int(parent)].glob, child: child, text: intern(label)))
        tables.nodes[Int(parent)].glob = UInt32(truncatingIfNeeded: tables.globs.count - 1)
        return child
    }

    /// The node below `parent` for a length-prefixed label.
    private mutating func literalChild(of parent: UInt32, _ label: ArraySlice<UInt8>) -> UInt32 {
        if (edgeCount + 1) * 3 > tables.edges.count * 2 { growEdges() }
        var state = LabelHash(parent, tables.seed)
        for byte in label.dropFirst() { state.add(byte) }
        let hash = state.finish()
        let mask = tables.edges.count - 1
        var index = Int(hash) & mask
        while tables.edges[index].child != 0 {
            let edge = tables.edges[index]
            if edge.hash == hash, edge.parent == parent, isStored(label, at: edge.label) { return edge.child }
            index = (index + 1) & mask
        }
        let child = newNode()
        tables.edges[index] = RuleTables.EdgeSlot(hash: hash, parent: parent, child: child, label: intern(label))
        tables.nodes[Int(parent)].hasLiterals = true
        edgeCount += 1
        return child
    }

    /// Doubles the table of edges.
    private mutating func growEdges() {
        let old = tables.edges
        tables.edges = [RuleTables.EdgeSlot](repeating: RuleTables.EdgeSlot(), count: max(16, old.count * 2))
        let mask = tables.edges.count - 1
        for edge in old where edge.child != 0 {
            var index = Int(edge.hash) & mask
            while tables.edges[index].child != 0 { index = (index + 1) & mask }
            tables.edges[index] = edge
        }
    }

    // MARK: Bytes

    /// Stores bytes and returns where.
    private mutating func intern(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let offset = UInt32(truncatingIfNeeded: tables.bytes.count)
        tables.bytes.append(contentsOf: bytes)
        return offset
    }

    /// Whether `bytes` are what is stored at `offset`.
    private func isStored(_ bytes: ArraySlice<UInt8>, at offset: UInt32) -> Bool {
        let stored = tables.bytes[min(Int(offset), tables.bytes.count)...]
        return stored.count >= bytes.count && stored.prefix(bytes.count).elementsEqual(bytes)
    }
}
