import DNSWire

/// One label while it is compared with globs. Beside it goes, as a span, for each length the sum over the bytes in front,
/// from which the hash of any part of the label follows.
private struct GlobLabel {
    /// Where its first byte is in the name.
    let start: Int
    /// Its length.
    let length: Int

    /// The label whose length byte is at `position` of `name`; its sums are written to `sums`, which has room for 64.
    init(_ name: Span<UInt8>, at position: Int, _ seed: LabelSeed, sums: inout MutableSpan<UInt64>) {
        start = position + 1
        length = Int(name[position]) & 63
        var sum: UInt64 = 0
        for index in 0..<length {
            sum = sum &* seed.base &+ UInt64(name[start + index]) &+ 1
            sums[index + 1] = sum
        }
    }

    /// The sum over the `count` bytes from `from` on.
    @inline(__always)
    static func sum(_ sums: Span<UInt64>, _ from: Int, _ count: Int, _ powers: Span<UInt64>) -> UInt64 {
        sums[from + count] &- sums[from] &* powers[count]
    }
}

/// Where a walk over the trie stands: what it needs to go on behind a label that a glob matches.
private struct GlobWalk {
    /// Labels of the name that are not matched yet, the one that is compared included.
    let remaining: Int
    /// What the rules of the layer can do.
    let possible: RuleEffects
}

extension RuleTables {
    /// Goes on behind every glob below `root` that matches the last of the `remaining` labels of the name, whose bytes
    /// are known to be star-matched.
    func visitGlobs<Visitor: MatchVisitor>(
        _ root: UInt32, _ remaining: Int, _ offsets: Span<UInt8>, _ possible: RuleEffects, _ name: Span<UInt8>,
        _ visitor: inout Visitor
    ) {
        var memory = InlineArray<64, UInt64>(repeating: 0)
        var written = memory.mutableSpan
        let label = GlobLabel(name, at: Int(offsets[remaining - 1]), seed, sums: &written)
        let sums = written.span
        let walk = GlobWalk(remaining: remaining, possible: possible)
        var suffixes = globNodes[Int(root)].lengths & lengths(upTo: label.length)
        while suffixes != 0 {
            let suffix = suffixes.trailingZeroBitCount
            suffixes &= suffixes - 1
            let behind = globChild(root, label, sums, label.length - suffix, suffix, name)
            guard behind != 0 else { continue }
            goOn(behind, walk, offsets, name, &visitor)
            var prefixes = globNodes[Int(behind)].lengths & lengths(upTo: label.length - suffix)
            while prefixes != 0 {
                let prefix = prefixes.trailingZeroBitCount
                prefixes &= prefixes - 1
                let middle = globChild(behind, label, sums, 0, prefix, name)
                guard middle != 0 else { continue }
                goOn(middle, walk, offsets, name, &visitor)
                visitParts(middle, label, sums, prefix, label.length - suffix, walk, offsets, name, &visitor)
            }
            if visitor.isSatisfied(by: possible) { return }
        }
    }

    /// Goes on with each text between stars that can be found in the bytes from `from` to `end` of the label, behind
    /// the leftmost place where it is found; at most 32 calls deep.
    private func visitParts<Visitor: MatchVisitor>(
        _ parent: UInt32, _ label: GlobLabel, _ sums: Span<UInt64>, _ from: Int, _ end: Int, _ walk: GlobWalk,
        _ offsets: Span<UInt8>, _ name: Span<UInt8>, _ visitor: inout Visitor
    ) {
        let all = globNodes[Int(parent)].lengths
        guard all != 0 else { return }
        for start in from..<max(from, end) {
            var rest = all & lengths(upTo: end - start)
            while rest != 0 {
                let length = rest.trailingZeroBitCount
                rest &= rest - 1
                let child = globChild(parent, label, sums, start, length, name)
                guard child != 0, isFirst(label, sums, from, start, length, name) else { continue }
                if visitor.isSatisfied(by: walk.possible) { return }
                goOn(child, walk, offsets, name, &visitor)
                visitParts(child, label, sums, start + length, end, walk, offsets, name, &visitor)
            }
        }
    }

    /// Goes on with the next label when a glob ends at `index`.
    private func goOn<Visitor: MatchVisitor>(
        _ index: UInt32, _ walk: GlobWalk, _ offsets: Span<UInt8>, _ name: Span<UInt8>, _ visitor: inout Visitor
    ) {
        let node = globNodes[Int(index)].node
        if node != 0, !visitor.isSatisfied(by: walk.possible) {
            descend(node, walk.remaining - 1, offsets, walk.possible, name, &visitor)
        }
    }

    /// The glob node that the `length` bytes at `from` of the label lead to from `parent`; 0 for none.
    @inline(__always)
    private func globChild(
        _ parent: UInt32, _ label: GlobLabel, _ sums: Span<UInt64>, _ from: Int, _ length: Int, _ name: Span<UInt8>
    ) -> UInt32 {
        let hash = seed.finish(GlobLabel.sum(sums, from, length, seed.powers.span), parent, length: length)
        let start = label.start + from
        let nodes = globNodes.span
        return globEdges.find(hash) { index in
            let node = nodes[Int(index)]
            return node.parent == parent && Int(node.length) == length
                && isStored(name, start, length, at: Int(node.text))
        }
    }

    /// Whether the `length` bytes at `start` of the label are not the same as those at an earlier place behind `from`.
    private func isFirst(
        _ label: GlobLabel, _ sums: Span<UInt64>, _ from: Int, _ start: Int, _ length: Int, _ name: Span<UInt8>
    ) -> Bool {
        let wanted = GlobLabel.sum(sums, start, length, seed.powers.span)
        for earlier in from..<start where GlobLabel.sum(sums, earlier, length, seed.powers.span) == wanted {
            var index = 0
            while index < length,
                name[label.start + earlier + index] == name[label.start + start + index]
            {
                index += 1
            }
            if index == length { return false }
        }
        return true
    }

    /// The bits of all lengths from 0 to `length` (0 to 63).
    @inline(__always)
    private func lengths(upTo length: Int) -> UInt64 {
        .max >> UInt64(truncatingIfNeeded: 63 - length)
    }
}

extension LabelSeed {
    /// What `GlobLabel.sum` is for the bytes of `text`.
    func sum(_ text: ArraySlice<UInt8>) -> UInt64 {
        text.reduce(0) { $0 &* base &+ UInt64($1) &+ 1 }
    }
}
