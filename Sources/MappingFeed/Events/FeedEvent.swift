public import DNSWire

/// One line of the feed: what the daemon tells an enforcer, and what the journal keeps.
public enum FeedEvent: Hashable, Sendable {
    /// The first line of a connection and of a journal file.
    case hello(FeedHello)
    /// What follows, up to the end, is the whole truth: forget every mapping that is not in it.
    case snapshotBegin(SnapshotMark)
    /// The end of a snapshot; the changes that follow have a higher sequence number.
    case snapshotEnd(SnapshotMark)
    /// An identity appeared, changed, or is gone.
    case identity(FeedIdentity)
    /// Addresses are to be opened, or stay open for longer.
    case upsert(MappingUpsert)
    /// Addresses are to be closed.
    case delete(MappingDelete)
    /// Nothing happened for a while; carries the last sequence number.
    case ping(UInt64)
    /// The subscriber was too slow and is disconnected; carries the last sequence number that it missed.
    case lagging(UInt64)
    /// Why the daemon closes this connection, for a person to read.
    case error(String)

    /// The sequence number that the line carries; nil for an error.
    public var sequence: UInt64? {
        switch self {
        case .hello(let hello): hello.sequence
        case .snapshotBegin(let mark), .snapshotEnd(let mark): mark.sequence
        case .identity(let identity): identity.sequence
        case .upsert(let upsert): upsert.sequence
        case .delete(let delete): delete.sequence
        case .ping(let sequence), .lagging(let sequence): sequence
        case .error: nil
        }
    }

    /// Whether the event changes what is in force, and so has a sequence number of its own.
    public var isChange: Bool {
        switch self {
        case .identity, .upsert, .delete: true
        case .hello, .snapshotBegin, .snapshotEnd, .ping, .lagging, .error: false
        }
    }
}

/// Who speaks: the journal that the sequence numbers belong to.
public struct FeedHello: Hashable, Sendable {
    /// The name and version of the protocol that this module speaks.
    public static let currentProtocol = "dnsproxyd.mappings/1"

    /// The protocol of the speaker.
    public var feedProtocol: String
    /// The journal's own UUID; sequence numbers of another instance mean nothing.
    public var instance: String
    /// The last sequence number that was assigned before this line.
    public var sequence: UInt64
    /// How the clocks stood when the lines behind this one were written; in the files of a journal only.
    public var clock: ClockMark?

    /// A greeting in the current protocol.
    public init(
        feedProtocol: String = FeedHello.currentProtocol, instance: String, sequence: UInt64, clock: ClockMark? = nil
    ) {
        self.feedProtocol = feedProtocol
        self.instance = instance
        self.sequence = sequence
        self.clock = clock
    }
}

/// How the wall clock stood to the clock that nobody can set, so that a step of the former can be told later.
public struct ClockMark: Hashable, Sendable {
    /// The boot of the machine (`/proc/sys/kernel/random/boot_id`), within which the offset means something.
    public var boot: String
    /// Seconds since the epoch at which the machine's boot-time clock was zero, kept to the microsecond.
    public var offset: Double

    /// A mark of `offset` in `boot`.
    public init(boot: String, offset: Double) {
        self.boot = boot
        self.offset = offset
    }
}

/// Where a snapshot begins or ends.
public struct SnapshotMark: Hashable, Sendable {
    /// Every change up to this sequence number is in the snapshot.
    public var sequence: UInt64
    /// Events between the two marks; an estimate at the beginning, exact at the end.
    public var count: UInt64

    /// A mark of `count` events that stand for everything up to `sequence`.
    public init(sequence: UInt64, count: UInt64) {
        self.sequence = sequence
        self.count = count
    }
}

/// A labelled thing that owns client addresses.
public struct FeedIdentity: Hashable, Sendable {
    /// Position in the feed; the hub assigns it.
    public var sequence: UInt64
    /// The number that mappings name it by.
    public var id: UInt64
    /// The name in its document.
    public var name: String
    /// The namespace in its document.
    public var namespace: String
    /// Its labels.
    public var labels: [String: String]
    /// The addresses that its clients have.
    public var addresses: [IPPrefix]
    /// Whether the identity is gone, and its mappings with it.
    public var isRemoved: Bool

    /// An identity that has not been published yet.
    public init(
        sequence: UInt64 = 0, id: UInt64, name: String, namespace: String, labels: [String: String] = [:],
        addresses: [IPPrefix] = [], isRemoved: Bool = false
    ) {
        self.sequence = sequence
        self.id = id
        self.name = name
        self.namespace = namespace
        self.labels = labels
        self.addresses = addresses
        self.isRemoved = isRemoved
    }
}
