import DNSWire

/// Takes what a walk over the rules of a name finds.
protocol MatchVisitor {
    /// Whether nothing more is wanted, given all effects that could still come.
    func isSatisfied(by possible: RuleEffects) -> Bool
    /// Takes the rules that match at one place.
    mutating func visit(_ match: RuleTables.Match)
}

/// Sums the effects up; all that a verdict needs.
struct EffectsVisitor: MatchVisitor {
    /// The effects of all rules found so far.
    var effects: RuleEffects = []

    @inline(__always)
    func isSatisfied(by possible: RuleEffects) -> Bool { effects.isSuperset(of: possible) }

    @inline(__always)
    mutating func visit(_ match: RuleTables.Match) { effects.formUnion(match.effects) }
}

/// Remembers which rules matched, for explanations and ports.
struct HeadsVisitor: MatchVisitor {
    /// Heads of chains of entries.
    var heads: [UInt32] = []

    func isSatisfied(by possible: RuleEffects) -> Bool { false }

    mutating func visit(_ match: RuleTables.Match) { heads.append(match.head) }
}

extension RuleTables {
    /// Shows `visitor` every place of `ruleSet` whose rules match `name`; allocates nothing itself.
    @inline(__always)
    func walk<Visitor: MatchVisitor>(
        _ ruleSet: RuleSet, _ name: borrowing NameBuffer, _ visitor: inout Visitor
    ) {
        guard name.count > 0 else { return }
        if ruleSet.every.head != 0 { visitor.visit(ruleSet.every) }
        if visitor.isSatisfied(by: ruleSet.possible) { return }
        let bytes = name.span
        if ruleSet.plain.head != 0, hasStarMatchedLabels(bytes, from: 0) { visitor.visit(ruleSet.plain) }
        if ruleSet.hasExactNames, let match = exactMatch(ruleSet, bytes, name.hash) { visitor.visit(match) }
        if ruleSet.root != 0, name.labelCount > 0, !visitor.isSatisfied(by: ruleSet.possible) {
            walkTrie(ruleSet, bytes, &visitor)
        }
    }

    /// The rules for exactly `name`, whose hash is given.
    private func exactMatch(_ ruleSet: RuleSet, _ name: Span<UInt8>, _ hash: UInt64) -> Match? {
        let tag = UInt32(truncatingIfNeeded: hash >> 32)
        var index = UInt32(truncatingIfNeeded: hash) & ruleSet.exactMask
        while true {
            let slot = exact[Int(ruleSet.exactBase + index)]
            if slot.match.head == 0 { return nil }
            if slot.tag == tag, isStored(name, 0..<name.count, at: slot.name) { return slot.match }
            index = (index &+ 1) & ruleSet.exactMask
        }
    }

    /// Walks the patterns of `ruleSet`.
    private func walkTrie<Visitor: MatchVisitor>(
        _ ruleSet: RuleSet, _ name: Span<UInt8>, _ visitor: inout Visitor
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
        descend(ruleSet.root, labels, offsets.span, ruleSet.possible, name, &visitor)
    }

    /// Goes on below a node with the first `remaining` labels of the name; at most 127 calls deep.
    private func descend<Visitor: MatchVisitor>(
        _ index: UInt32, _ remaining: Int, _ offsets: Span<UInt8>, _ possible: RuleEffects,
        _ name: Span<UInt8>, _ visitor: inout Visitor
    ) {
        let node = nodes[Int(index)]
        guard remaining > 0 else {
            if node.terminal.head != 0 { visitor.visit(node.terminal) }
            return
        }
        let position = Int(offsets[remaining - 1])
        if node.hasLiterals, let child = literalChild(index, name, position) {
            descend(child, remaining - 1, offsets, possible, name, &visitor)
        }
        // The rest of the node's possibilities have a star at this label.
        guard node.star != 0 || node.glob != 0 || node.deep.head != 0, !visitor.isSatisfied(by: possible),
            isStarMatchedLabel(name, at: position)
        else { return }
        if node.deep.head != 0 {
            var label = remaining - 2
            while label >= 0, isStarMatchedLabel(name, at: Int(offsets[label])) { label -= 1 }
            if label < 0 { visitor.visit(node.deep) }
        }
        if node.star != 0 { descend(node.star, remaining - 1, offsets, possible, name, &visitor) }
        var glob = node.glob
        while glob != 0, !visitor.isSatisfied(by: possible) {
            let candidate = globs[Int(glob)]
            if globMatches(bytes.span, at: Int(candidate.text), name, labelAt: position) {
                descend(candidate.child, remaining - 1, offsets, possible, name, &visitor)
            }
            glob = candidate.next
        }
    }

    /// Where the label of `name` at `position` leads to from node `parent`.
    private func literalChild(_ parent: UInt32, _ name: Span<UInt8>, _ position: Int) -> UInt32? {
        let end = position + 1 + Int(name[position])
        var state = LabelHash(parent, seed)
        for offset in (position + 1)..<end { state.add(name[offset]) }
        let hash = state.finish()
        let mask = edges.count - 1
        var index = Int(hash) & mask
        while true {
            let slot = edges[index]
            if slot.child == 0 { return nil }
            if slot.hash == hash, slot.parent == parent, isStored(name, position..<end, at: slot.label) {
                return slot.child
            }
            index = (index + 1) & mask
        }
    }

    /// Whether these bytes of `name` are those at `start` of `bytes`.
    @inline(__always)
    private func isStored(_ name: Span<UInt8>, _ range: Range<Int>, at start: UInt32) -> Bool {
        let stored = bytes.span
        let shift = Int(start) - range.lowerBound
        guard range.upperBound + shift <= stored.count else { return false }
        for index in range where stored[index + shift] != name[index] { return false }
        return true
    }
}
