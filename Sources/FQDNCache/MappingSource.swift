/// Where an address of a mapping came from, or why it is still there.
public enum MappingSource: UInt8, CaseIterable, Sendable {
    /// An A or AAAA record.
    case answer = 0
    /// An address hint of an HTTPS or SVCB record (RFC 9460, section 7.3).
    case hint = 1
    /// The journal, after a restart.
    case restore = 2
    /// A connection that an enforcer has seen alive.
    case connection = 3
}
