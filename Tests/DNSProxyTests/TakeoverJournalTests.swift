import DNSWire
import Foundation
import MappingFeed
import Synchronization
import Testing

@testable import DNSProxy

/// The journal, in the hands of a process that takes over.
@Suite struct TakeoverJournalTests {
    /// The daemon to take over from, once it is found.
    private final class Found: Sendable {
        /// The daemon.
        let predecessor = Mutex<Predecessor?>(nil)
    }

    @Test(arguments: [true, false])
    func `a journal without room stays with the daemon that runs, and is taken from one that has died`(
        runs: Bool
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "takeover-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let directory = folder.appending(path: "journal").path
        let upsert = MappingUpsert(
            sequence: 1, identity: 7, client: IPAddress(ipv4: 1), name: try DomainName("a.example"),
            addresses: [MappingFeed.MappedAddress(ip: IPAddress(ipv4: 2), ttl: 60, expires: 4e9)])
        do {
            var journal = try Journal(directory: directory) { _ in }
            try journal.append(FeedEvent.upsert(upsert).line.span)
        }
        // Where it is tried out whether there is room.
        try FileManager.default.createSymbolicLink(
            atPath: "\(directory)/journal.jsonl.new", withDestinationPath: "/dev/full")

        let path = folder.appending(path: "offer").path
        let offer = try TakeoverOffer(path)
        let found = Found()
        async let finding: Void = BackgroundThread.run(.normal) {
            found.predecessor.withLock { $0 = try? Predecessor.find(path) }
        }
        var channel = await offer.next()
        #expect(await channel?.next(within: .seconds(20)) == .hello(version: TakeoverChannel.version))
        channel?.send(.allSockets)
        await finding
        if !runs { channel = nil }
        let restored: Int? = await BackgroundThread.run(.normal) {
            found.predecessor.withLock { predecessor in
                var count = 0
                do {
                    _ = try Engine.journal(directory, after: &predecessor) { _ in count += 1 }
                    return count
                } catch {
                    return nil
                }
            }
        }
        #expect(restored == (runs ? nil : 1))
        #expect(channel?.isOpen ?? true)
        offer.withdraw()
    }
}
