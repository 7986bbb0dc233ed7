import Glibc

/// The running daemon, seen by the one that takes over from it.
///
/// It goes on answering until `letGo`, however long the successor takes to read what is on the disk.
struct Predecessor: ~Copyable {
    /// The connection to it.
    private let channel: TakeoverChannel
    /// Its listening sockets.
    private let sockets: [FileDescriptorBox]
    /// The queries that it has left without an answer.
    private(set) var queries: [LeftQuery] = []

    /// How long it may take to say which sockets it has: it ends a compaction of its journal first.
    private static let greetingLimit = Duration.seconds(60)
    /// Microseconds after which nothing is open any more of a process that was killed.
    private static let afterDeath: useconds_t = 100_000
    /// How long it may take to let go.
    private static let limit = Duration.seconds(10)

    /// Asks the daemon that listens at `path` for its sockets; nil when there is none.
    /// - Throws: `EngineError.system` when it refuses, or says what this version does not know.
    static func find(_ path: String) throws(EngineError) -> Predecessor? {
        guard let channel = TakeoverOffer.connect(path) else { return nil }
        channel.send(.hello(version: TakeoverChannel.version))
        var sockets: [FileDescriptorBox] = []
        while let (message, part) = channel.receive(within: greetingLimit) {
            switch message {
            case .sockets: sockets += part
            case .allSockets: return Predecessor(channel: channel, sockets: sockets)
            case .refused(let reason): throw .system("the running daemon does not hand over: \(reason)")
            default: throw .system("the running daemon does not hand over: it said what this version does not know")
            }
        }
        guard !channel.isOpen else {
            throw .system("the running daemon does not hand over: it says nothing; it goes on answering")
        }
        // It has just died, and the kernel closes what it had in no particular order.
        usleep(Predecessor.afterDeath)
        return try find(path)
    }

    /// Whether it still runs.
    var isThere: Bool { channel.isOpen }

    /// How many sockets it has.
    var socketCount: Int { sockets.count }

    /// Its sockets, in copies that belong to whoever takes them.
    /// - Throws: `SystemError` when one cannot be copied.
    func inheritedSockets() throws(SystemError) -> InheritedSockets { try InheritedSockets(copying: sockets) }

    /// Has it answer what it can, and let go of everything: the journal, the feed, the queries. One that is gone has done
    /// so already.
    mutating func letGo() {
        guard channel.send(.ready) else { return }
        while let (message, _) = channel.receive(within: Predecessor.limit) {
            switch message {
            case .query(let query): queries.append(query)
            case .yours: return
            default: break
            }
        }
    }

    /// Tells it that its clients are served, so that it ends; returns the connection, which closes when it is gone.
    consuming func end() -> TakeoverChannel {
        channel.send(.serving)
        return channel
    }
}
