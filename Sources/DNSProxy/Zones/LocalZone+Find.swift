internal import DNSWire

extension LocalZone {
    /// What a zone knows about a name.
    enum Finding {
        /// The name exists, or a wildcard stands in for it; perhaps with nothing there.
        case found(Node)
        /// A DNAME above the name redirects it (RFC 6672, section 2.3).
        case redirected(owner: DomainName, RecordSet)
        /// The name does not exist.
        case missing
    }

    /// Looks `name`, which is at or below the apex, up (RFC 1034, section 4.3.2, and RFC 4592, section 3.3).
    func find(_ name: DomainName) -> Finding {
        if hasDNAME, let (owner, set) = redirection(of: name) { return .redirected(owner: owner, set) }
        if let node = nodes[name] { return .found(node) }
        var encloser = name
        while encloser != apex, let parent = encloser.parent {
            encloser = parent
            guard nodes[encloser] != nil else { continue }
            // Only a wildcard right below the closest encloser counts, none further up.
            guard let wildcard = encloser.wildcard, let node = nodes[wildcard] else { return .missing }
            return .found(node)
        }
        return .missing
    }

    /// The topmost DNAME above `name`: what is below one does not exist, other DNAMEs included.
    private func redirection(of name: DomainName) -> (DomainName, RecordSet)? {
        var result: (DomainName, RecordSet)?
        var owner = name
        while owner != apex, let parent = owner.parent {
            owner = parent
            if let set = nodes[owner]?.set(.dname) { result = (owner, set) }
        }
        return result
    }
}

extension DomainName {
    /// The name `*` right below this one; nil when that would be too long.
    var wildcard: DomainName? {
        bytes.count <= 253 ? DomainName(canonicalBytes: [1, UInt8(ascii: "*")] + bytes) : nil
    }

    /// The name with `suffix` at its end replaced by `target`; nil when it gets too long.
    func replacing(_ suffix: DomainName, by target: DomainName) -> DomainName? {
        let kept = bytes.count - suffix.bytes.count
        guard isEqualToOrBelow(suffix), kept + target.bytes.count <= 255 else { return nil }
        return DomainName(canonicalBytes: Array(bytes[..<kept]) + target.bytes)
    }
}
