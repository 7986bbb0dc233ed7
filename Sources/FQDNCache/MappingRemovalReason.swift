/// Why addresses left the mapping table; the raw values are those of the feed.
public enum MappingRemovalReason: String, CaseIterable, Sendable {
    /// Their time was over.
    case expired
    /// Something else took their place.
    case replaced
    /// A limit demanded room.
    case limit
    /// The policy no longer selects the name.
    case policy
    /// An operator wanted it.
    case flushed
}
