import DNSWire
import Logging
import NIOCore
import NIOPosix
import Synchronization

@testable import MappingFeed

/// A hub with a table behind it, as the daemon has one, in a folder of its own.
final class HubHarness: Sendable {
    /// Where journal and socket are.
    let folder: TemporaryFolder
    /// The hub.
    let hub: FeedHub
    /// Every value of `released` that the hub told of.
    let changes: AsyncStream<UInt64>
    /// Every report of live connections.
    let inUse: AsyncStream<AddressesInUse>
    /// Every rejection, with the event if that was found.
    let rejections: AsyncStream<(FeedRejection, FeedEvent?)>
    /// What the snapshots are made of.
    let table: Table
    /// The path of the socket.
    let socket: String

    /// The mappings that are in force, and a gate in front of listing them.
    final class Table: Sendable {
        /// The mappings, by name.
        let mappings = Mutex<[DomainName: MappingUpsert]>([:])
        /// Mappings that are listed at a time.
        let chunk: Int

        /// An empty table.
        init(chunk: Int) { self.chunk = chunk }

        /// Lists the mappings in order of their names, `chunk` at a time.
        func list(_ cursor: UInt64, _ emit: (FeedEvent) -> Void) -> UInt64? {
            let rest = mappings.withLock { $0.values.map { (Table.number($0.name), $0) } }
                .filter { $0.0 >= cursor }.sorted { $0.0 < $1.0 }
            for (_, mapping) in rest.prefix(chunk) { emit(.upsert(mapping)) }
            return rest.count > chunk ? rest[chunk].0 : nil
        }

        /// The number in a name, by which a listing goes on whatever was removed meanwhile.
        private static func number(_ name: DomainName) -> UInt64 {
            name.bytes.dropFirst(6).prefix(3).reduce(0) { $0 * 10 + UInt64($1 - 48) }
        }
    }

    /// Opens the journal, if there is to be one, into the table, and starts the hub; `change` sets its limits.
    init(
        hasJournal: Bool = true, journal name: String = "journal", hasSocket: Bool = true,
        folderOf other: HubHarness? = nil, in given: TemporaryFolder? = nil, chunk: Int = 100,
        table: Table? = nil, limits: JournalLimits = JournalLimits(),
        loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(), clock: JournalClock = .system,
        _ change: (inout FeedHubConfiguration) -> Void = { _ in }
    ) async throws {
        let folder = given ?? other?.folder ?? TemporaryFolder()
        self.folder = folder
        let table = table ?? Table(chunk: chunk)
        self.table = table
        var configuration = FeedHubConfiguration(socketPath: hasSocket ? folder.file("feed.sock") : nil)
        configuration.tick = .milliseconds(5)
        configuration.subscribeTimeout = .seconds(50)
        configuration.closeTimeout = .seconds(20)
        change(&configuration)
        socket = configuration.socketPath ?? ""
        let (changes, changed) = AsyncStream<UInt64>.makeStream()
        self.changes = changes
        let (inUse, used) = AsyncStream<AddressesInUse>.makeStream()
        self.inUse = inUse
        let (rejections, rejected) = AsyncStream<(FeedRejection, FeedEvent?)>.makeStream()
        self.rejections = rejections
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let onChange: @Sendable (UInt64) -> Void = { changed.yield($0) }
        let onInUse: @Sendable (AddressesInUse) -> Void = { used.yield($0) }
        let onReject: @Sendable (FeedRejection, FeedEvent?) -> Void = { rejected.yield(($0, $1)) }
        let source: FeedSnapshotSource = { table.list($0, $1) }
        if hasJournal {
            let journal = try Journal(directory: folder.file(name), limits: limits, clock: clock) { event in
                if case .upsert(let upsert) = event { table.mappings.withLock { $0[upsert.name] = upsert } }
            }
            hub = FeedHub(
                loop: loop, configuration: configuration, journal: journal, snapshot: source, logger: logger,
                onChange: onChange, onInUse: onInUse, onReject: onReject)
        } else {
            hub = FeedHub(
                loop: loop, configuration: configuration, journal: nil, snapshot: source, logger: logger,
                onChange: onChange, onInUse: onInUse, onReject: onReject)
        }
        try await hub.start()
    }

    /// Changes the table and publishes, under one lock, as the table of the daemon does.
    @discardableResult
    func publish(_ numbers: ClosedRange<UInt64>) -> UInt64 {
        var last: UInt64 = 0
        for number in numbers {
            last = table.mappings.withLock { mappings in
                let mapping = upsert(number)
                mappings[mapping.name] = mapping
                return hub.publish(mapping)
            }
        }
        return last
    }

    /// Changes the table and publishes a mapping of `identity`.
    @discardableResult
    func publish(_ number: UInt64, of identity: UInt64) -> UInt64 {
        table.mappings.withLock { mappings in
            var mapping = upsert(number)
            mapping.identity = identity
            mappings[mapping.name] = mapping
            return hub.publish(mapping)
        }
    }

    /// Waits until the hub told of `value`.
    func released(_ value: UInt64) async {
        if hub.released == value { return }
        for await change in changes where change == value { return }
    }

    /// Waits until a condition holds that nothing tells of; the test's time limit ends it.
    func until(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(1)) }
    }
}

extension RawSubscriber {
    /// Subscribes and reads the greeting and the whole snapshot; returns the names in it and its sequence number.
    func snapshot(_ subscription: Subscription) async throws -> (names: [DomainName], sequence: UInt64) {
        guard case .hello = try await event() else { throw Unexpected() }
        send(.subscribe(subscription))
        guard case .snapshotBegin = try await event() else { throw Unexpected() }
        return try await snapshotRest()
    }

    /// Reads a snapshot that has begun; returns the names in it and its sequence number.
    func snapshotRest() async throws -> (names: [DomainName], sequence: UInt64) {
        var names: [DomainName] = []
        var count: UInt64 = 0
        while true {
            let event = try await event()
            if event?.isChange == true { count += 1 }
            switch event {
            case .identity: break
            case .upsert(let upsert): names.append(upsert.name)
            case .snapshotEnd(let mark):
                guard mark.count == count else { throw Unexpected() }
                return (names, mark.sequence)
            default: throw Unexpected()
            }
        }
    }

    /// Something else came than what had to.
    struct Unexpected: Error {}

    /// The sequence numbers of the next changes.
    func changes(_ count: Int) async throws -> [UInt64] {
        var numbers: [UInt64] = []
        while numbers.count < count {
            guard let event = try await event() else { throw Unexpected() }
            if event.isChange, let sequence = event.sequence { numbers.append(sequence) }
        }
        return numbers
    }
}
