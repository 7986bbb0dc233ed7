/// An absolute domain name in canonical form, as an owned value for tables, documents and the feed.
///
/// Comparison is that of wire labels, so an escaped dot is never a separator (RFC 1035, section 5.1;
/// RFC 4343 for case). The data path uses `NameBuffer` instead.
public struct DomainName: Hashable, Sendable {
    /// Canonical wire form: length-prefixed lower-case labels, ending in the root's zero. 1 to 255 bytes.
    public let bytes: [UInt8]

    /// Takes bytes that are known to be canonical wire form.
    package init(canonicalBytes: [UInt8]) {
        bytes = canonicalBytes
    }

    /// The root.
    public static let root = DomainName(canonicalBytes: [0])

    /// Labels of the name, the root not counted: 0 to 127.
    public var labelCount: Int {
        var labels = 0
        var offset = 0
        while bytes[offset] != 0 {
            labels += 1
            offset += 1 + Int(bytes[offset])
        }
        return labels
    }

    /// Whether this is the root.
    public var isRoot: Bool { bytes.count == 1 }

    /// The name without its first label; nil for the root.
    public var parent: DomainName? {
        isRoot ? nil : DomainName(canonicalBytes: [UInt8](bytes[(1 + Int(bytes[0]))...]))
    }

    /// Whether the name is `ancestor` or below it.
    public func isEqualToOrBelow(_ ancestor: DomainName) -> Bool {
        var offset = 0
        while bytes.count - offset > ancestor.bytes.count {
            offset += 1 + Int(bytes[offset])
        }
        return bytes[offset...].elementsEqual(ancestor.bytes)
    }

    /// Hashes the bytes eight at a time: names are the keys of many dictionaries.
    public func hash(into hasher: inout Hasher) {
        let bytes = bytes.span
        let whole = bytes.count & ~7
        for offset in stride(from: 0, to: whole, by: 8) { hasher.combine(bytes.word(at: offset)) }
        if whole < bytes.count { hasher.combine(bytes.word(at: whole, count: bytes.count - whole)) }
    }

    /// The hash that `NameBuffer.hash` has for this name.
    public func hash(seed: HashSeed) -> UInt64 {
        seed.hash(bytes.span)
    }
}

extension DomainName: Comparable {
    /// Canonical order (RFC 4034, section 6.1): label by label from the right.
    public static func < (left: DomainName, right: DomainName) -> Bool {
        left.labelsFromRoot.lexicographicallyPrecedes(right.labelsFromRoot) { $0.lexicographicallyPrecedes($1) }
    }

    /// The labels, the topmost first.
    private var labelsFromRoot: [ArraySlice<UInt8>] {
        var labels: [ArraySlice<UInt8>] = []
        var offset = 0
        while bytes[offset] != 0 {
            let end = offset + 1 + Int(bytes[offset])
            labels.append(bytes[(offset + 1)..<end])
            offset = end
        }
        return labels.reversed()
    }
}
