/// What a hub has done since it was made; the numbers only grow unless stated.
public struct FeedHubCounters: Hashable, Sendable {
    /// Changes that were given a number.
    public var published: UInt64 = 0
    /// Changes that found the queue full.
    public var refused: UInt64 = 0
    /// Changes that wait for the loop now.
    public var queued = 0
    /// Appends and compactions that failed.
    public var journalErrors: UInt64 = 0
    /// Bytes of the journal's current file now.
    public var journalBytes = 0
    /// Compactions that succeeded.
    public var compactions: UInt64 = 0
    /// Acknowledgements that were read.
    public var acks: UInt64 = 0
    /// Answers to pings that were read.
    public var pongs: UInt64 = 0
    /// Rejections that were read.
    public var nacks: UInt64 = 0
    /// Connections that have subscribed and are there now.
    public var subscribers = 0
    /// Subscribers that were sent a snapshot.
    public var snapshots: UInt64 = 0
    /// Subscribers that were sent just what they had missed.
    public var resumes: UInt64 = 0
    /// Connections that ended, by reason.
    public var disconnects: [FeedDisconnectReason: UInt64] = [:]

    /// Subscribers that were too slow.
    public var lagging: UInt64 { disconnects[.lagging] ?? 0 }

    /// Nothing yet.
    public init() {}
}

/// Why a connection ended.
public enum FeedDisconnectReason: String, Hashable, Sendable, CaseIterable {
    /// The subscriber closed it.
    case closed
    /// Reading or writing failed.
    case ioError = "io_error"
    /// A line was not a message.
    case badMessage = "bad_message"
    /// A line was longer than 64 KiB.
    case lineTooLong = "line_too_long"
    /// It did not subscribe in time.
    case neverSubscribed = "never_subscribed"
    /// A message that cannot come where it came.
    case unexpectedMessage = "unexpected_message"
    /// It acknowledged or rejected what it had not been sent.
    case ackFromFuture = "ack_from_future"
    /// It was too slow.
    case lagging
    /// It left a ping unanswered.
    case noPong = "no_pong"
    /// It is neither root nor the daemon's user nor a member of the socket's group.
    case notPermitted = "not_permitted"
    /// There were too many.
    case tooMany = "too_many"
    /// The daemon stops.
    case shutdown
}
