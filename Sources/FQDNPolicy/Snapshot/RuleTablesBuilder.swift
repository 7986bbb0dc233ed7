import DNSWire

/// Adds rules to `RuleTables`, one layer after the other, and then rule sets that are made of layers.
struct RuleTablesBuilder {
    /// What was built so far.
    var tables = RuleTables()
    /// The layer that rules are added to now.
    private(set) var layer = RuleTables.Layer()
    /// The exact names of that layer.
    private var names = ExactNames(capacity: 0)
    /// From parent and label to nodes, as long as these are in the order in which they came.
    var edges = EdgeTable()

    /// Starts a layer that will have at most `exactNames` distinct exact names.
    mutating func beginLayer(exactNames: Int) {
        layer = RuleTables.Layer()
        let start = UInt32(truncatingIfNeeded: tables.entries.count)
        layer.entries = start..<start
        names = ExactNames(capacity: exactNames)
    }

    /// Ends the layer and returns its index.
    mutating func endLayer() -> UInt32 {
        layer.entries = layer.entries.lowerBound..<UInt32(truncatingIfNeeded: tables.entries.count)
        layer.firstBucket = UInt32(truncatingIfNeeded: tables.places.count)
        let buckets = placeNames()
        layer.bucketCount = UInt32(truncatingIfNeeded: max(0, buckets.count - 1))
        tables.places += buckets.map(\.place)
        tables.marks += buckets.map(\.marks)
        tables.layers.append(layer)
        return UInt32(truncatingIfNeeded: tables.layers.count - 1)
    }

    /// Adds a rule set, whose layers are named and whose remaining fields are filled in already, and returns its index.
    mutating func add(_ ruleSet: RuleTables.RuleSet, layers: [UInt32]) -> UInt32 {
        var ruleSet = ruleSet
        let start = UInt32(truncatingIfNeeded: tables.layerLists.count)
        tables.layerLists += layers
        ruleSet.layers = start..<UInt32(truncatingIfNeeded: tables.layerLists.count)
        ruleSet.possible = layers.reduce(into: []) { $0.formUnion(tables.layers[Int($1)].possible) }
        tables.ruleSets.append(ruleSet)
        return UInt32(truncatingIfNeeded: tables.ruleSets.count - 1)
    }

    /// Adds a rule for every name.
    mutating func addEveryName(_ effects: RuleEffects, rule: UInt32, line: Int) {
        layer.every.head = append(
            RuleTables.Entry(rule: rule, line: UInt32(clamping: line), effects: effects), behind: layer.every.head)
        layer.every.effects.formUnion(effects)
    }

    /// Adds a rule for the names of a pattern, compared as `use` says.
    mutating func add(_ pattern: PatternEntry, for use: PatternUse, _ effects: RuleEffects, rule: UInt32) {
        var entry = RuleTables.Entry(rule: rule, line: UInt32(clamping: pattern.line), effects: effects)
        switch pattern.pattern.shape {
        case .everyName:
            entry.form = .everyName
            if use == .query {
                layer.every.head = append(entry, behind: layer.every.head)
                layer.every.effects.formUnion(effects)
            } else {
                layer.plain.head = append(entry, behind: layer.plain.head)
                layer.plain.effects.formUnion(effects)
            }
        case .exact(let name):
            switch pattern.pattern.field {
            case .matchName: entry.form = .matchName
            case .matchPattern: entry.form = .exactPattern
            case .domainName: entry.form = .domainName
            }
            addExact(name, entry)
        case .globs(let globs, let isDeep):
            entry.form = pattern.pattern.field == .domainName ? .deepDomainName : isDeep ? .deepGlobs : .globs
            entry.text = intern(globs[...])
            addGlobs(globs, isDeep: isDeep, entry)
        }
    }

    /// Appends an entry to a chain whose head is given, and returns the new head.
    private mutating func append(_ entry: RuleTables.Entry, behind head: UInt32) -> UInt32 {
        var entry = entry
        entry.next = head
        layer.possible.formUnion(entry.effects)
        tables.entries.append(entry)
        return UInt32(truncatingIfNeeded: tables.entries.count - 1)
    }

    /// Adds an entry for one name, to the others of that name.
    private mutating func addExact(_ name: DomainName, _ entry: RuleTables.Entry) {
        layer.possible.formUnion(entry.effects)
        let index = UInt32(truncatingIfNeeded: tables.entries.count)
        names.add(name, entry.effects) { head in
            var entry = entry
            entry.next = head
            tables.entries.append(entry)
            return index
        }
    }

    /// Stores the exact names of the layer, tells their entries where, and returns the buckets.
    private mutating func placeNames() -> [NameBucket] {
        defer { names = ExactNames(capacity: 0) }
        // Taken out, so that entries can be changed meanwhile.
        var bytes: [UInt8] = []
        swap(&bytes, &tables.bytes)
        let buckets = names.place(in: &bytes) { place, head in
            var index = Int(head)
            while index != 0 {
                tables.entries[index].text = place
                index = Int(tables.entries[index].next)
            }
        }
        swap(&bytes, &tables.bytes)
        return buckets
    }

    /// Adds an entry for label globs, whose text it has.
    private mutating func addGlobs(_ globs: [UInt8], isDeep: Bool, _ entry: RuleTables.Entry) {
        if layer.root == 0 { layer.root = newNode(RuleTables.Node(length: RuleTables.Node.noLabel)) }
        var entry = entry
        let text = Int(entry.text)
        // The leftmost label, when it is a star, is a place of the node that the others lead to.
        let isOneMore = !isDeep && globs[0] == 1 && globs[1] == UInt8(ascii: "*")
        let node = trieNode(globs, from: isOneMore ? 2 : 0, text)
        entry.place = isDeep ? .deep : isOneMore ? .oneMore : .terminal
        switch entry.place {
        case .terminal: tables.nodes[node].terminal.formUnion(entry.effects)
        case .oneMore: tables.nodes[node].oneMore.formUnion(entry.effects)
        case .deep: tables.nodes[node].deep.formUnion(entry.effects)
        }
        tables.heads[node] = append(entry, behind: tables.heads[node])
    }

    // MARK: Bytes

    /// Stores bytes and returns where.
    private mutating func intern(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let offset = UInt32(truncatingIfNeeded: tables.bytes.count)
        tables.bytes.append(contentsOf: bytes)
        return offset
    }

    /// Whether `bytes` are what is stored at `offset`.
    func isStored(_ bytes: ArraySlice<UInt8>, at offset: Int) -> Bool {
        guard offset >= 0, offset <= tables.bytes.count - bytes.count else { return false }
        return tables.bytes[offset..<(offset + bytes.count)].elementsEqual(bytes)
    }

    // MARK: The end

    /// What was built, without the room that was kept for more.
    consuming func finish() -> RuleTables {
        placeNodes()
        tables.globEdges.shrink()
        tables.entries = tables.entries.map { $0 }
        tables.globNodes = tables.globNodes.map { $0 }
        tables.bytes = tables.bytes.map { $0 }
        tables.places = tables.places.map { $0 }
        tables.marks = tables.marks.map { $0 }
        return tables
    }
}
