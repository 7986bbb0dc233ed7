/// The number of an identity in the feed and in the journal, the same after a restart.
public struct IdentityID: RawRepresentable, Hashable, Comparable, Sendable, Codable {
    /// At most 48 bits, so that JSON readers that know only doubles keep it exact.
    public let rawValue: UInt64

    /// The number as it is.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// `reserved:unknown`.
    public static let unknown = IdentityID(rawValue: 0)

    /// The number of the identity with these labels in this namespace: a hash of both, never 0.
    public init(namespace: String, labels: [String: String]) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ text: String) {
            // The length in front keeps different lists of texts different.
            for byte in "\(text.utf8.count):\(text)".utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
            }
        }
        add(namespace)
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            add(key)
            add(value)
        }
        let folded = (hash ^ hash >> 48) & 0xFFFF_FFFF_FFFF
        rawValue = folded == 0 ? 1 : folded
    }

    /// Numerical order.
    public static func < (left: IdentityID, right: IdentityID) -> Bool { left.rawValue < right.rawValue }
}

extension IdentityID: CustomStringConvertible {
    /// The number in decimal.
    public var description: String { "\(rawValue)" }
}
