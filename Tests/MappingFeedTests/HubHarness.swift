import DNSWire
import Logging
import NIOCore
import NIOPosix
import Synchronization

@testable import MappingFeed

/// A hub with a table behind it, as the daemon has one, in a folder of its own.
final class HubHarness: Sendable {
    /// Where journal and socket are.
    let folder = TemporaryFolder()
    /// The hub.
    let hub: FeedHub
    /// Every value of `released` that the hub told of.
    let changes: AsyncStream<UInt64>
    /// Every report of live connections.
    let inUse: AsyncStream<AddressesInUse>
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
            let all = mappings.withLock { $0.values.sorted { $0.name < $1.name } }
            let start = Int(cursor)
            for mapping in all.dropFirst(start).prefix(chunk) { emit(.upsert(mapping)) }
            return start + chunk < all.count ? UInt64(start + chunk) : nil
        }
    }

    /// Opens the journal, if there is to be one, into the table, and starts the hub; `change` sets its limits.
    init(
        hasJournal: Bool = true, hasSocket: Bool = true, folderOf other: HubHarness? = nil, chunk: Int = 100,
        table: Table? = nil, limits: JournalLimits = JournalLimits(),
        loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(),
        _ change: (inout FeedHubConfiguration) -> Void = { _ in }
    ) async throws {
        let folder = other?.folder ?? self.folder
        let table = table ?? Table(chunk: chunk)
        self.table = table
        socket = folder.file("feed.sock")
        var configuration = FeedHubConfiguration(socketPath: hasSocket ? socket : nil)
        configuration.tick = .milliseconds(5)
        configuration.subscribeTimeout = .seconds(50)
        configuration.closeTimeout = .seconds(20)
        change(&configuration)
        let (changes, changed) = AsyncStream<UInt64>.makeStream()
        self.changes = changes
        let (inUse, used) = AsyncStream<AddressesInUse>.makeStream()
        self.inUse = inUse
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let onChange: @Sendable (UInt64) -> Void = { changed.yield($0) }
        let onInUse: @Sendable (AddressesInUse) -> Void = { used.yield($0) }
        let source: FeedSnapshotSource = { table.list($0, $1) }
        if hasJournal {
            let journal = try Journal(directory: folder.file("journal"), limits: limits) { event in
                if case .upsert(let upsert) = event { table.mappings.withLock { $0[upsert.name] = upsert } }
            }
            hub = FeedHub(
                loop: loop, configuration: configuration, journal: journal, snapshot: source, logger: logger,
                onChange: onChange, onInUse: onInUse)
        } else {
            hub = FeedHub(
                loop: loop, configuration: configuration, journal: nil, snapshot: source, logger: logger,
                onChange: onChange, onInUse: onInUse)
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
        var names: [DomainName] = []
        while true {
            switch try await event() {
            case .upsert(let upsert): names.append(upsert.name)
            case .snapshotEnd(let mark):
                guard mark.count == UInt64(names.count) else { throw Unexpected() }
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
