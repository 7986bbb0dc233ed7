/// A record or question class (RFC 1035, section 3.2.4).
public struct RecordClass: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The Internet.
    public static let `in` = RecordClass(rawValue: 1)
    /// Chaos, used for `version.bind` and its like.
    public static let ch = RecordClass(rawValue: 3)
    /// No class, in dynamic updates (RFC 2136).
    public static let none = RecordClass(rawValue: 254)
    /// Any class, in questions only.
    public static let any = RecordClass(rawValue: 255)
}

extension RecordClass: CustomStringConvertible {
    /// The mnemonic, or `CLASS123` (RFC 3597, section 5).
    public var description: String {
        switch self {
        case .in: "IN"
        case .ch: "CH"
        case .none: "NONE"
        case .any: "ANY"
        default: "CLASS\(rawValue)"
        }
    }
}
