/// How a subscriber does, for people.
public struct FeedSubscriberStatus: Hashable, Sendable {
    /// What tells its connection from others, in the log too; counted from 1.
    public var number: UInt64
    /// Its process; 0 where that is in a namespace which the daemon does not see.
    public var process: Int32
    /// The user that the process ran as when it connected.
    public var user: UInt32
    /// Whether answers wait for it.
    public var acknowledges: Bool
    /// Whether it has asked for some identities only.
    public var selects: Bool
    /// Everything up to here is in force or was not for it; without acknowledgements, what it was sent.
    public var acknowledged: UInt64
    /// Changes behind that, up to the last one published.
    public var eventsBehind: UInt64
    /// When it connected, in seconds since the epoch.
    public var connected: Double
}
