import MappingFeed

/// A subscriber of the feed, and how far it is.
public struct AdminSubscriber: Codable, Hashable, Sendable {
    /// What tells its connection from others, in the log too; counted from 1.
    public var number: UInt64
    /// Its process; 0 where that is in a namespace which the daemon does not see.
    public var pid: Int32
    /// The user that the process ran as when it connected.
    public var uid: UInt32
    /// Whether answers wait for it.
    public var acknowledges: Bool
    /// Whether it has asked for some identities only.
    public var selects: Bool
    /// Everything up to here is in force or was not for it; without acknowledgements, what it was sent.
    public var acknowledged: UInt64
    /// Changes behind that, up to the last one published.
    public var eventsBehind: UInt64
    /// When it connected: UTC seconds since the epoch.
    public var connected: Double

    /// What the hub says of a subscriber.
    init(_ status: FeedSubscriberStatus) {
        number = status.number
        pid = status.process
        uid = status.user
        acknowledges = status.acknowledges
        selects = status.selects
        acknowledged = status.acknowledged
        eventsBehind = status.eventsBehind
        connected = status.connected
    }
}
