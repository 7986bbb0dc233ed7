/// How a connection ended.
public enum FeedSessionError: Error, CustomStringConvertible, Sendable {
    /// The daemon closed it, and may have said why.
    case closed(String?)
    /// The daemon said that this enforcer is too slow.
    case lagging
    /// What came was no line of the feed, or could not be read.
    case unreadable(any Error)
    /// The first line was not a greeting.
    case noGreeting
    /// The daemon speaks another protocol.
    case anotherProtocol(String)

    /// The same as one line of text, for people.
    public var description: String {
        switch self {
        case .closed(nil): "the daemon closed the connection"
        case .closed(let reason?): "the daemon closed the connection: \(reason)"
        case .lagging: "the daemon closed the connection: too slow"
        case .unreadable(let error): "what the daemon sent cannot be read: \(error)"
        case .noGreeting: "what listens here does not speak the mapping feed: no hello came first"
        case .anotherProtocol(let name):
            "the daemon speaks \(name), this speaks \(FeedHello.currentProtocol)"
        }
    }
}
