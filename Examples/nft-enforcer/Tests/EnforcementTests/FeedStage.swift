import DNSWire
import Foundation
import Logging
import MappingFeed
import NIOPosix
import Synchronization

/// A feed as the daemon serves it, with a table of mappings behind it, and a folder for its socket.
final class FeedStage: Sendable {
    /// Where the socket is.
    let folder: String
    /// The feed.
    let hub: FeedHub
    /// What enforcers reported as in use.
    let inUse: AsyncStream<AddressesInUse>
    /// What snapshots are made of.
    private let mappings: Mappings

    /// The mappings that are in force, under a lock.
    private final class Mappings: Sendable {
        /// The last upsert of each identity, name and address; the tests publish one address at a time.
        let upserts = Mutex<[String: MappingUpsert]>([:])
    }

    /// The path of the socket.
    var socket: String { folder + "/feed.sock" }

    /// Serves what `events` say; `pings` begin after a moment in which nothing happens, not after ten seconds.
    init(_ events: [FeedEvent] = [], pings: Bool = false) async throws {
        folder = NSTemporaryDirectory() + "/nfe-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let (inUse, used) = AsyncStream<AddressesInUse>.makeStream()
        self.inUse = inUse
        let mappings = Mappings()
        self.mappings = mappings
        var configuration = FeedHubConfiguration(socketPath: folder + "/feed.sock")
        if pings { (configuration.pingInterval, configuration.tick) = (.milliseconds(200), .milliseconds(50)) }
        hub = FeedHub(
            loop: MultiThreadedEventLoopGroup.singleton.next(), configuration: configuration, journal: nil,
            snapshot: { _, emit in
                for upsert in mappings.upserts.withLock({ $0 }).values { emit(.upsert(upsert)) }
                return nil
            }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, onInUse: { used.yield($0) })
        publish(events)
        try await hub.start()
    }

    /// Publishes events, and keeps what a snapshot has to have; returns the number of the last.
    @discardableResult
    func publish(_ events: [FeedEvent]) -> UInt64 {
        mappings.upserts.withLock { upserts in
            var last: UInt64 = 0
            for event in events {
                switch event {
                case .identity(let identity):
                    if identity.isRemoved { upserts = upserts.filter { $0.value.identity != identity.id } }
                    last = hub.publish(identity)
                case .upsert(let upsert):
                    upserts["\(upsert.identity) \(upsert.name) \(upsert.addresses.map(\.ip))"] = upsert
                    last = hub.publish(upsert)
                case .delete(let delete):
                    upserts["\(delete.identity) \(delete.name) \(delete.addresses)"] = nil
                    last = hub.publish(delete)
                default: continue
                }
            }
            return last
        }
    }

    /// Waits until everything is acknowledged.
    func settled() async throws {
        try await until { self.hub.acknowledgingSubscribers > 0 && self.hub.released >= self.hub.lastSequence }
    }

    /// Ends the feed and removes the folder.
    func end() async {
        await hub.shutdown()
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// Waits until a condition holds; the test's time limit ends it.
func until(_ condition: () async throws -> Bool) async throws {
    while try await !condition() { try await Task.sleep(for: .milliseconds(5)) }
}

/// An identity of the feed.
func identity(_ id: UInt64, _ addresses: String..., isRemoved: Bool = false) -> FeedEvent {
    .identity(
        FeedIdentity(
            id: id, name: "client-\(id)", namespace: "test", addresses: addresses.compactMap { IPPrefix($0) },
            isRemoved: isRemoved))
}

/// An address that is open for an identity for some seconds.
func upsert(
    _ id: UInt64, _ name: String, _ address: String, seconds: Double = 300,
    ports: [MappingPort] = [MappingPort(port: 80, transport: .tcp)]
) throws -> FeedEvent {
    .upsert(
        MappingUpsert(
            identity: id, client: IPAddress(ipv4: 1), name: try DomainName(name),
            addresses: [
                MappedAddress(
                    ip: IPAddress(address) ?? IPAddress(ipv4: 0), ttl: 1,
                    expires: Date().timeIntervalSince1970 + seconds)
            ], rules: [MappingRule(policy: "test/p", ports: ports)]))
}

/// The end of an address.
func delete(_ id: UInt64, _ name: String, _ address: String) throws -> FeedEvent {
    .delete(
        MappingDelete(
            identity: id, name: try DomainName(name), addresses: [IPAddress(address) ?? IPAddress(ipv4: 0)],
            reason: .expired))
}
