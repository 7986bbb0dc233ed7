/// The bounds that an operator sets on how long answers are kept, by this cache and by its clients.
public struct TTLPolicy: Hashable, Sendable {
    /// Shorter TTLs are raised to this, in seconds; a TTL of 0 stays 0.
    public var minTTL: UInt32
    /// Longer TTLs of positive answers are cut to this, in seconds.
    public var maxTTL: UInt32
    /// Longer TTLs of negative answers are cut to this, in seconds.
    public var negativeMaxTTL: UInt32

    /// The defaults of the configuration.
    @inlinable
    public init(minTTL: UInt32 = 0, maxTTL: UInt32 = 86_400, negativeMaxTTL: UInt32 = 3_600) {
        self.minTTL = minTTL
        self.maxTTL = maxTTL
        self.negativeMaxTTL = negativeMaxTTL
    }

    /// What a TTL from the wire becomes: 0 if its sign bit is set (RFC 2181, section 8) or it is 0, which says "for
    /// this transaction only" (RFC 1035, section 3.2.1) and is never raised; otherwise within the bounds for `kind`.
    public func effective(_ ttl: UInt32, kind: AnswerKind) -> UInt32 {
        guard ttl > 0, ttl <= UInt32(Int32.max) else { return 0 }
        let ceiling = kind == .positive || kind == .local ? maxTTL : negativeMaxTTL
        return min(max(ttl, minTTL), ceiling)
    }

    /// Rewrites the TTLs of a message to what clients may see and returns the lifetime of the whole in seconds, the
    /// least of them; 0 means: answer with it, but do not keep it. Without any TTL there is nothing to keep either.
    ///
    /// For a negative answer `negativeTTL` is the MINIMUM field of its SOA, which bounds every TTL in it (RFC 2308,
    /// section 5); the highest number means that there is none. An offset whose four bytes are not all in `image` is
    /// left out and forbids keeping.
    public func apply(
        to image: inout MutableSpan<UInt8>, ttlOffsets: Span<UInt16>, kind: AnswerKind, negativeTTL: UInt32 = .max
    ) -> UInt32 {
        var lifetime = ttlOffsets.isEmpty ? 0 : UInt32.max
        // A MINIMUM is a TTL too, with the same rule for its sign bit.
        let bound = negativeTTL == .max || negativeTTL <= UInt32(Int32.max) ? negativeTTL : 0
        for index in ttlOffsets.indices {
            let offset = Int(ttlOffsets[index])
            guard offset <= image.count - 4 else {
                lifetime = 0
                continue
            }
            let wire = image.bigEndian32(at: offset)
            let ttl = wire > UInt32(Int32.max) ? 0 : effective(min(wire, bound), kind: kind)
            image.setBigEndian32(ttl, at: offset)
            lifetime = min(lifetime, ttl)
        }
        return lifetime
    }
}
