import DNSWire

/// Takes what a walk over the rules of a name finds.
protocol MatchVisitor {
    /// Whether a `*` in the name stands for itself and is one of the bytes that a star of a pattern stands for: true
    /// when the name is itself a pattern, and the question is which patterns match all that it matches.
    static var takesPatterns: Bool { get }
    /// Whether nothing more is wanted, given all effects that could still come.
    func isSatisfied(by possible: RuleEffects) -> Bool
    /// Takes the rules that match at one place: what they do, and where the last of their entries is found.
    mutating func visit(_ effects: RuleEffects, _ place: RuleTables.Place, _ head: RuleTables.Head)
}

extension MatchVisitor {
    static var takesPatterns: Bool { false }
}

/// Sums the effects up; all that a verdict needs.
struct EffectsVisitor: MatchVisitor {
    /// The effects of all rules found so far.
    var effects: RuleEffects = []

    @inline(__always)
    func isSatisfied(by possible: RuleEffects) -> Bool { effects.isSuperset(of: possible) }

    @inline(__always)
    mutating func visit(_ effects: RuleEffects, _ place: RuleTables.Place, _ head: RuleTables.Head) {
        self.effects.formUnion(effects)
    }
}

/// Remembers which rules matched, for explanations and ports.
struct HeadsVisitor: MatchVisitor {
    /// Where the chains of entries start, and which of their entries count.
    var found: [(head: RuleTables.Head, place: RuleTables.Place)] = []

    func isSatisfied(by possible: RuleEffects) -> Bool { false }

    mutating func visit(_ effects: RuleEffects, _ place: RuleTables.Place, _ head: RuleTables.Head) {
        found.append((head, place))
    }
}

extension RuleTables {
    /// Where the index of the last entry of a place is; looked up only when entries are wanted.
    enum Head {
        /// It is this one.
        case entry(UInt32)
        /// In `heads`, at a node's index.
        case node(UInt32)
        /// In `bytes`, four bytes from here.
        case bytes(Int)
    }

    /// The index of the entry that a head means.
    func index(of head: Head) -> UInt32 {
        switch head {
        case .entry(let index): index
        case .node(let node): heads[Int(node)]
        case .bytes(let offset): self.head(at: offset)
        }
    }

    /// Shows `visitor` every place of `ruleSet` whose rules match `name`; allocates nothing itself.
    @inline(__always)
    func walk<Visitor: MatchVisitor>(
        _ ruleSet: RuleSet, _ name: borrowing NameBuffer, _ visitor: inout Visitor
    ) {
        guard name.count > 0 else { return }
        for index in ruleSet.layers {
            walk(layers[Int(layerLists[Int(index)])], name.span, name.hash, name.labelCount, &visitor)
            if visitor.isSatisfied(by: ruleSet.possible) { return }
        }
    }

    /// Shows `visitor` every place of `layer` whose rules match the name in `name`.
    @inline(__always)
    func walk<Visitor: MatchVisitor>(
        _ layer: Layer, _ name: Span<UInt8>, _ hash: UInt64, _ labelCount: Int, _ visitor: inout Visitor
    ) {
        if layer.every.head != 0 { visitor.visit(layer.every.effects, .terminal, .entry(layer.every.head)) }
        if visitor.isSatisfied(by: layer.possible) { return }
        if layer.plain.head != 0, hasStarMatchedLabels(name, from: 0) {
            visitor.visit(layer.plain.effects, .terminal, .entry(layer.plain.head))
        }
        if layer.bucketCount > 0 { visitExact(layer, name, hash, &visitor) }
        if layer.root != 0, labelCount > 0, !visitor.isSatisfied(by: layer.possible) {
            visitPatterns(layer, name, &visitor)
        }
    }

    /// Visits the rules for exactly `name`, whose hash is given.
    @inline(__always)
    private func visitExact<Visitor: MatchVisitor>(
        _ layer: Layer, _ name: Span<UInt8>, _ hash: UInt64, _ visitor: inout Visitor
    ) {
        let bucket = Int(layer.firstBucket + NameBucket.index(of: hash, count: layer.bucketCount))
        guard marks.span[bucket].mayContain(hash) else { return }
        let places = places.span
        let end = Int(places[bucket + 1])
        let bytes = bytes.span
        var place = Int(places[bucket]) + ExactNames.prefix
        while place < end {
            let length = Int(bytes[place - ExactNames.prefix])
            if length == name.count, isStored(name, 0, length, at: place) {
                let effects = UInt16(bytes[place - 6]) | UInt16(bytes[place - 5]) << 8
                visitor.visit(RuleEffects(rawValue: effects), .terminal, .bytes(place - 4))
                return
            }
            place += length + ExactNames.prefix
        }
    }

    /// Visits the patterns of a layer.
    @inline(__always)
    private func visitPatterns<Visitor: MatchVisitor>(
        _ layer: Layer, _ name: Span<UInt8>, _ visitor: inout Visitor
    ) {
        // Where the labels start: a name of 255 bytes has at most 127.
        var offsets = InlineArray<128, UInt8>(repeating: 0)
        var labels = 0
        var offset = 0
        while offset < name.count, name[offset] != 0, labels < 127 {
            offsets[labels] = UInt8(truncatingIfNeeded: offset)
            labels += 1
            offset += 1 + Int(name[offset])
        }
        descend(layer.root, labels, offsets.span, layer.possible, name, &visitor)
    }

    /// Goes on below a node with the first `remaining` labels of the name; at most 127 calls deep.
    func descend<Visitor: MatchVisitor>(
        _ start: UInt32, _ remaining: Int, _ offsets: Span<UInt8>, _ possible: RuleEffects,
        _ name: Span<UInt8>, _ visitor: inout Visitor
    ) {
        var index = start
        var remaining = remaining
        let nodes = nodes.span
        while true {
            let node = nodes[Int(index)]
            guard remaining > 0 else {
                if !node.terminal.isEmpty { visitor.visit(node.terminal, .terminal, .node(index)) }
                return
            }
            let position = Int(offsets[remaining - 1])
            if node.star | node.globs != 0 || !node.oneMore.union(node.deep).isEmpty,
                isStarMatchedLabel(name, at: position, orStar: Visitor.takesPatterns)
            {
                visitStars(node, index, remaining, offsets, possible, name, &visitor)
            }
            guard node.hasLiterals, !visitor.isSatisfied(by: possible) else { return }
            index = literalChild(index, name, position)
            guard index != 0 else { return }
            remaining -= 1
        }
    }

    /// Visits what a node has for a label of star-matched bytes, the last of `remaining`.
    private func visitStars<Visitor: MatchVisitor>(
        _ node: Node, _ index: UInt32, _ remaining: Int, _ offsets: Span<UInt8>, _ possible: RuleEffects,
        _ name: Span<UInt8>, _ visitor: inout Visitor
    ) {
        if remaining == 1, !node.oneMore.isEmpty { visitor.visit(node.oneMore, .oneMore, .node(index)) }
        if !node.deep.isEmpty {
            var label = remaining - 2
            while label >= 0,
                isStarMatchedLabel(name, at: Int(offsets[label]), orStar: Visitor.takesPatterns)
            {
                label -= 1
            }
            if label < 0 { visitor.visit(node.deep, .deep, .node(index)) }
        }
        if node.star != 0, !visitor.isSatisfied(by: possible) {
            descend(node.star, remaining - 1, offsets, possible, name, &visitor)
        }
        if node.globs != 0, !visitor.isSatisfied(by: possible) {
            visitGlobs(node.globs, remaining, offsets, possible, name, &visitor)
        }
    }

    /// Where the label of `name` at `position` leads to from node `parent`; 0 for nowhere.
    @inline(__always)
    private func literalChild(_ parent: UInt32, _ name: Span<UInt8>, _ position: Int) -> UInt32 {
        let length = Int(name[position])
        let words = LabelWords(name, position + 1, length: length, below: parent, seed)
        let nodes = nodes.span
        var index = Node.start(words.hash, count: nodes.count)
        while true {
            let node = nodes[index]
            if node.isFree { return 0 }
            if node.key == words.last, node.parent == parent, Int(node.length) == length,
                length <= 8 || isStored(name, position + 1, length - 8, at: Int(node.text))
            {
                return UInt32(truncatingIfNeeded: index)
            }
            index = Node.next(index, count: nodes.count)
        }
    }

    /// Whether the `count` bytes at `start` of `name` are those at `place` of `bytes`.
    @inline(__always)
    func isStored(_ name: Span<UInt8>, _ start: Int, _ count: Int, at place: Int) -> Bool {
        name.hasBytes(at: start, count: count, equalTo: bytes.span, at: place)
    }
}
