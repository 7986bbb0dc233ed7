/// The name of a JSON field, packed into two words so that comparing it costs two comparisons.
struct FieldKey: Hashable, Sendable {
    /// The first eight bytes, the first lowest, padded with zeros.
    private(set) var low: UInt64 = 0
    /// The next eight bytes.
    private(set) var high: UInt64 = 0

    /// An empty name, to which bytes are pushed.
    init() {}

    /// A name of this protocol, at most 16 bytes.
    private init(_ name: StaticString) {
        name.withUTF8Buffer { bytes in
            for index in bytes.indices { unsafe push(bytes[index], at: index) }
        }
    }

    /// Puts `byte` at `index`; bytes from the seventeenth on are dropped, the caller treats such names as unknown.
    @inline(__always)
    mutating func push(_ byte: UInt8, at index: Int) {
        let shifted = UInt64(byte) &<< UInt64(truncatingIfNeeded: index &* 8)
        if index < 8 {
            low |= shifted
        } else if index < 16 {
            high |= shifted
        }
    }

    // MARK: Fields of the protocol, in alphabetical order

    /// The field `acknowledge`.
    static let acknowledge = FieldKey("acknowledge")
    /// The field `addresses`.
    static let addresses = FieldKey("addresses")
    /// The field `boot`.
    static let boot = FieldKey("boot")
    /// The field `chain`.
    static let chain = FieldKey("chain")
    /// The field `client`.
    static let client = FieldKey("client")
    /// The field `clock`.
    static let clock = FieldKey("clock")
    /// The field `count`.
    static let count = FieldKey("count")
    /// The field `endPort`.
    static let endPort = FieldKey("endPort")
    /// The field `error`.
    static let error = FieldKey("error")
    /// The field `event`.
    static let event = FieldKey("event")
    /// The field `expires`.
    static let expires = FieldKey("expires")
    /// The field `id`.
    static let id = FieldKey("id")
    /// The field `identities`.
    static let identities = FieldKey("identities")
    /// The field `identity`.
    static let identity = FieldKey("identity")
    /// The field `instance`.
    static let instance = FieldKey("instance")
    /// The field `ip`.
    static let ip = FieldKey("ip")
    /// The field `labels`.
    static let labels = FieldKey("labels")
    /// The field `name`.
    static let name = FieldKey("name")
    /// The field `namespace`.
    static let namespace = FieldKey("namespace")
    /// The field `offset`.
    static let offset = FieldKey("offset")
    /// The field `policy`.
    static let policy = FieldKey("policy")
    /// The field `port`.
    static let port = FieldKey("port")
    /// The field `ports`.
    static let ports = FieldKey("ports")
    /// The field `protocol`.
    static let `protocol` = FieldKey("protocol")
    /// The field `reason`.
    static let reason = FieldKey("reason")
    /// The field `removed`.
    static let removed = FieldKey("removed")
    /// The field `resume`.
    static let resume = FieldKey("resume")
    /// The field `rules`.
    static let rules = FieldKey("rules")
    /// The field `seq`.
    static let seq = FieldKey("seq")
    /// The field `source`.
    static let source = FieldKey("source")
    /// The field `ttl`.
    static let ttl = FieldKey("ttl")
}
