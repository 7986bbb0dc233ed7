public import DNSWire

/// What a pattern is compared for; `*` alone means more names for a query than for learning.
public enum PatternUse: Sendable, CaseIterable {
    /// `rules.dns`: `*` is every name, whatever bytes it has.
    case query
    /// `toFQDNs`: `*` is every name of `[-a-zA-Z0-9_]` labels, and the root.
    case learning
}

extension Pattern {
    /// Whether the pattern matches `name`, which is in canonical form; allocates nothing.
    public func matches(_ name: borrowing NameBuffer, for use: PatternUse) -> Bool {
        switch shape {
        case .exact(let exact): return name.equals(exact.bytes.span)
        case .everyName:
            return use == .query || hasStarMatchedLabels(name.span, from: 0)
        case .globs(let globs, let isDeep):
            return Pattern.matches(globs.span, isDeep: isDeep, name.span, labelCount: name.labelCount)
        }
    }

    /// Whether the `labelCount` labels of `name` match `globs`, the last ones if it is deep.
    private static func matches(
        _ globs: Span<UInt8>, isDeep: Bool, _ name: Span<UInt8>, labelCount: Int
    ) -> Bool {
        var labels = 0
        var offset = 0
        while offset < globs.count, globs[offset] != 0 {
            labels += 1
            offset += 1 + Int(globs[offset])
        }
        let before = labelCount - labels
        guard isDeep ? before >= 1 : before == 0 else { return false }
        var position = 0
        for _ in 0..<before {
            guard isStarMatchedLabel(name, at: position) else { return false }
            position += 1 + Int(name[position])
        }
        offset = 0
        for _ in 0..<labels {
            guard globMatches(globs, at: offset, name, labelAt: position) else { return false }
            offset += 1 + Int(globs[offset])
            position += 1 + Int(name[position])
        }
        return true
    }
}

/// Whether a byte of a canonical label is one that a star stands for: `[-a-z0-9_]`.
@inline(__always)
func isStarMatched(_ byte: UInt8) -> Bool {
    byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D || byte == 0x5F
}

/// Whether the label of `name` whose length byte is at `offset` has only bytes that a star stands for, or, with
/// `orStar`, stars.
@inline(__always)
func isStarMatchedLabel(_ name: Span<UInt8>, at offset: Int, orStar: Bool = false) -> Bool {
    let end = offset + 1 + Int(name[offset])
    var index = offset + 1
    while index < end {
        guard isStarMatched(name[index]) || orStar && name[index] == UInt8(ascii: "*") else { return false }
        index += 1
    }
    return true
}

/// Whether all labels of `name` from the one at `offset` on have only bytes that a star stands for.
func hasStarMatchedLabels(_ name: Span<UInt8>, from offset: Int) -> Bool {
    var offset = offset
    while offset < name.count, name[offset] != 0 {
        guard isStarMatchedLabel(name, at: offset) else { return false }
        offset += 1 + Int(name[offset])
    }
    return true
}

/// Whether the glob whose length byte is at `start` of `globs` matches the label of `name` at `labelStart`.
///
/// Every byte of the label must be one that a star stands for; patterns contain no other bytes either. After that,
/// going back to the last star alone is enough, so the work is at most label length times glob length.
func globMatches(
    _ globs: Span<UInt8>, at start: Int, _ name: Span<UInt8>, labelAt labelStart: Int
) -> Bool {
    guard isStarMatchedLabel(name, at: labelStart) else { return false }
    let star = UInt8(ascii: "*")
    let globEnd = start + 1 + Int(globs[start])
    let labelEnd = labelStart + 1 + Int(name[labelStart])
    var glob = start + 1
    var label = labelStart + 1
    var afterStar = -1
    var retry = 0
    while label < labelEnd {
        if glob < globEnd, globs[glob] == star {
            glob += 1
            afterStar = glob
            retry = label
        } else if glob < globEnd, globs[glob] == name[label] {
            glob += 1
            label += 1
        } else if afterStar >= 0 {
            retry += 1
            label = retry
            glob = afterStar
        } else {
            return false
        }
    }
    while glob < globEnd, globs[glob] == star { glob += 1 }
    return glob == globEnd
}
