/// What the token of a ready descriptor stands for.
enum Token {
    /// A listening socket, by index.
    case listener(Int)
    /// An upstream socket, by index.
    case upstream(Int)
    /// The mailbox.
    case mailbox

    /// The token of the upstream socket at `index`.
    static func ofUpstream(_ index: Int) -> UInt64 { 1 << 32 | UInt64(index) }
    /// The token of the listening socket at `index`.
    static func ofListener(_ index: Int) -> UInt64 { UInt64(index) }
    /// The token of the mailbox.
    static let ofMailbox: UInt64 = 2 << 32

    /// Reads a token.
    init(_ rawValue: UInt64) {
        let index = Int(truncatingIfNeeded: rawValue & 0xFFFF_FFFF)
        switch rawValue >> 32 {
        case 0: self = .listener(index)
        case 1: self = .upstream(index)
        default: self = .mailbox
        }
    }
}
