public import NIOCore

/// The limits of a hub.
public struct FeedHubConfiguration: Sendable {
    /// Where enforcers connect; nil for nowhere.
    public var socketPath: String?
    /// The group, by name or number, whose members may connect beside root and the daemon's own user; nil for the group
    /// that a new file gets.
    public var socketGroup: String?
    /// Changes that wait for the loop at most; more are refused.
    public var queueLimit = 65_536
    /// Events that are kept for subscribers that lag or resume.
    public var recentEvents = 65_536
    /// Bytes that they may have.
    public var recentBytes = 16 << 20
    /// Bytes that a subscriber may be behind before it is told `lagging` and disconnected.
    public var subscriberQueueBytes = 8 << 20
    /// Bytes of a snapshot or of changes that are handed to the kernel at once for one subscriber.
    public var subscriberBufferBytes = 256 << 10
    /// Connections at most.
    public var maxSubscribers = 64
    /// Bytes that wait for a journal that cannot be written; beyond them only a new snapshot makes it whole.
    public var journalBacklogBytes = 16 << 20
    /// Changes that enforcers have rejected and that are remembered as such; the oldest are forgotten.
    public var rejectionLimit = 4096
    /// How long a connection may take to subscribe.
    public var subscribeTimeout = TimeAmount.seconds(5)
    /// How long nothing is sent before a ping is.
    public var pingInterval = TimeAmount.seconds(10)
    /// How long an acknowledging subscriber may leave a ping unanswered.
    public var pongTimeout = TimeAmount.seconds(30)
    /// How long a connection that is being closed may take to read why.
    public var closeTimeout = TimeAmount.seconds(1)
    /// How often the limits above are looked at, and a journal that failed is tried again.
    public var tick = TimeAmount.seconds(1)
    /// How long after a compaction that failed the next is tried.
    public var compactionRetry = TimeAmount.seconds(30)

    /// The default limits.
    public init(socketPath: String? = nil, socketGroup: String? = nil) {
        self.socketPath = socketPath
        self.socketGroup = socketGroup
    }
}
