package import MappingFeed

/// One change that the feed told of, which the kernel takes or refuses.
package enum TableChange: Sendable {
    /// An identity.
    case identity(FeedIdentityChange)
    /// An opening.
    case opening(FeedOpeningChange)

    /// The event that it comes from.
    package var sequence: UInt64 {
        switch self {
        case .identity(let change): change.sequence
        case .opening(let change): change.sequence
        }
    }
}
