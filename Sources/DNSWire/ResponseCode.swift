/// A response code, extended to twelve bits by EDNS (RFC 1035, section 4.1.1; RFC 6895, section 2.3).
public struct ResponseCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue & 0xFFF }
    /// The code whose lower four bits are in the header, and the upper eight in the OPT record (RFC 6891, section 6.1.3).
    @inlinable public init(header: UInt8, extended: UInt8) {
        rawValue = UInt16(extended) << 4 | UInt16(header & 0xF)
    }

    /// The upper eight bits, for the OPT record.
    @inlinable public var extendedPart: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 4) }

    public static let noError = ResponseCode(rawValue: 0)
    public static let formatError = ResponseCode(rawValue: 1)
    public static let serverFailure = ResponseCode(rawValue: 2)
    public static let nameError = ResponseCode(rawValue: 3)
    public static let notImplemented = ResponseCode(rawValue: 4)
    public static let refused = ResponseCode(rawValue: 5)
    public static let badVersion = ResponseCode(rawValue: 16)
    public static let badCookie = ResponseCode(rawValue: 23)
}

extension ResponseCode: LosslessStringConvertible {
    /// Codes that have a mnemonic here.
    private static let named: [ResponseCode] = [
        .noError, .formatError, .serverFailure, .nameError, .notImplemented, .refused, .badVersion, .badCookie,
    ]

    /// Reads a mnemonic in any case, or `RCODE123`.
    public init?(_ description: String) {
        let text = description.uppercased()
        if let code = ResponseCode.named.first(where: { $0.description == text }) {
            self = code
        } else if text.hasPrefix("RCODE"), let value = UInt16(text.dropFirst(5)), value <= 0xFFF {
            self.init(rawValue: value)
        } else {
            return nil
        }
    }

    /// The mnemonic of the registry, or `RCODE123`.
    public var description: String {
        switch self {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .nameError: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        case .badVersion: "BADVERS"
        case .badCookie: "BADCOOKIE"
        default: "RCODE\(rawValue)"
        }
    }
}
