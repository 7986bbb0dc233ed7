import Testing

@testable import MappingFeed

struct SnapshotListingTests {
    /// The identity with a number.
    private func identity(_ id: UInt64) -> FeedIdentity { FeedIdentity(id: id, name: "n\(id)", namespace: "s") }

    /// The mapping of an identity.
    private func mapping(of id: UInt64) -> FeedEvent {
        var mapping = upsert(id)
        mapping.identity = id
        return .upsert(mapping)
    }

    @Test(arguments: [(false, [0, 1]), (true, [1])] as [(Bool, [UInt64])])
    func `the mappings of an identity that was announced since are left to the changes that follow`(
        isSelective: Bool, expected: [UInt64]
    ) throws {
        let shared = HubShared(last: 1, limit: 10, identities: IdentityBook(), rejectionLimit: 1)
        shared.identities.withLock { $0.take(identity(1), 1) }
        var listing = SnapshotListing(sequence: 1, identities: [identity(1)], isSelective: isSelective, shared: shared)
        _ = listing.next { _, _ in nil }
        shared.identities.withLock { $0.take(identity(2), 2) }
        // Number 0 was never announced, as it is with clients that no identity owns.
        let lines = listing.next { _, emit in
            for id: UInt64 in 0...2 { emit(mapping(of: id)) }
            return nil
        }
        let listed = try lines.split(separator: UInt8(ascii: "\n")).compactMap { line -> UInt64? in
            guard case .upsert(let upsert) = try FeedEvent.decode(Array(line).span) else { return nil }
            return upsert.identity
        }
        #expect(listed == expected)
        #expect(listing.isAtEnd && listing.count == UInt64(1 + expected.count))
    }
}
