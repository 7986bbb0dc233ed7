internal import DNSWire

/// The fields of an event while its line is read; those that were absent are nil.
struct EventFields {
    /// `seq`.
    private var sequence: UInt64?
    /// `count`.
    private var count: UInt64?
    /// `id` of an identity, `identity` of a mapping.
    private var identity: UInt64?
    /// `protocol`.
    private var feedProtocol: String?
    /// `instance`.
    private var instance: String?
    /// `clock`.
    private var clock: ClockMark?
    /// `reason` of an error.
    private var reason: String?
    /// `name` of an identity.
    private var identityName: String?
    /// `namespace`.
    private var namespace: String?
    /// `labels`.
    private var labels: [String: String] = [:]
    /// `addresses` of an identity.
    private var prefixes: [IPPrefix] = []
    /// `removed`.
    private var isRemoved = false
    /// `client`.
    private var client: IPAddress?
    /// `name` of a mapping.
    private var name: DomainName?
    /// `chain`.
    private var chain: [DomainName] = []
    /// `addresses` of an upsert.
    private var mapped: [MappedAddress]?
    /// `addresses` of a delete.
    private var addresses: [IPAddress]?
    /// `rules`.
    private var rules: [MappingRule] = []
    /// `source`.
    private var source = MappingSource.answer
    /// `reason` of a delete.
    private var deleteReason: DeleteReason?

    /// No field yet.
    init() {}

    /// Reads the fields of the events that have only numbers and strings.
    mutating func readSmall(_ reader: inout LineReader, _ line: Span<UInt8>) throws(FeedSyntaxError) {
        while let key = try reader.nextKey(line) {
            switch key {
            case .seq: sequence = try reader.unsigned(line)
            case .count: count = try reader.unsigned(line)
            case .protocol: feedProtocol = try reader.string(line)
            case .instance: instance = try reader.string(line)
            case .clock: clock = try EventFields.clock(&reader, line)
            case .reason: reason = try reader.string(line)
            default: try reader.skip(line)
            }
        }
    }

    /// Reads the fields of an identity.
    mutating func readIdentity(_ reader: inout LineReader, _ line: Span<UInt8>) throws(FeedSyntaxError) {
        while let key = try reader.nextKey(line) {
            switch key {
            case .seq: sequence = try reader.unsigned(line)
            case .id: identity = try reader.unsigned(line)
            case .name: identityName = try reader.string(line)
            case .namespace: namespace = try reader.string(line)
            case .labels: labels = try reader.strings(line)
            case .addresses:
                prefixes = try reader.array(line) { (reader) throws(FeedSyntaxError) in
                    try reader.prefix("addresses", line)
                }
            case .removed: isRemoved = try reader.boolean(line)
            default: try reader.skip(line)
            }
        }
    }

    /// Reads the fields of an upsert.
    mutating func readUpsert(_ reader: inout LineReader, _ line: Span<UInt8>) throws(FeedSyntaxError) {
        while let key = try reader.nextKey(line) {
            switch key {
            case .seq: sequence = try reader.unsigned(line)
            case .identity: identity = try reader.unsigned(line)
            case .client: client = try reader.address("client", line)
            case .name: name = try reader.name("name", line)
            case .chain:
                chain = try reader.array(line) { (reader) throws(FeedSyntaxError) in try reader.name("chain", line) }
            case .addresses:
                mapped = try reader.array(line) { (reader) throws(FeedSyntaxError) in
                    try EventFields.mappedAddress(&reader, line)
                }
            case .rules:
                rules = try reader.array(line) { (reader) throws(FeedSyntaxError) in
                    try EventFields.rule(&reader, line)
                }
            // For the log only: a word of a later version is no reason to lose the mapping.
            case .source: source = MappingSource(rawValue: try reader.string(line)) ?? .answer
            default: try reader.skip(line)
            }
        }
    }

    /// Reads the fields of a delete.
    mutating func readDelete(_ reader: inout LineReader, _ line: Span<UInt8>) throws(FeedSyntaxError) {
        while let key = try reader.nextKey(line) {
            switch key {
            case .seq: sequence = try reader.unsigned(line)
            case .identity: identity = try reader.unsigned(line)
            case .name: name = try reader.name("name", line)
            case .addresses:
                addresses = try reader.array(line) { (reader) throws(FeedSyntaxError) in
                    try reader.address("addresses", line)
                }
            case .reason: deleteReason = try reader.word(DeleteReason.self, "reason", line)
            default: try reader.skip(line)
            }
        }
    }

    /// Reads the clocks of a greeting.
    private static func clock(_ reader: inout LineReader, _ line: Span<UInt8>) throws(FeedSyntaxError) -> ClockMark {
        var boot: String?
        var offset: Double?
        try reader.beginObject(line)
        while let key = try reader.nextKey(line) {
            switch key {
            case .boot: boot = try reader.string(line)
            case .offset: offset = try reader.double(line)
            default: try reader.skip(line)
            }
        }
        return ClockMark(
            boot: try require(boot, "boot", reader.offset), offset: try require(offset, "offset", reader.offset))
    }

    /// Reads one address of an upsert.
    private static func mappedAddress(
        _ reader: inout LineReader, _ line: Span<UInt8>
    ) throws(FeedSyntaxError) -> MappedAddress {
        var ip: IPAddress?
        var ttl: UInt32 = 0
        var expires: Double?
        try reader.beginObject(line)
        while let key = try reader.nextKey(line) {
            switch key {
            case .ip: ip = try reader.address("ip", line)
            case .ttl: ttl = try reader.integer(UInt32.self, line)
            case .expires: expires = try reader.double(line)
            default: try reader.skip(line)
            }
        }
        return MappedAddress(
            ip: try require(ip, "ip", reader.offset), ttl: ttl, expires: try require(expires, "expires", reader.offset))
    }

    /// Reads one rule of an upsert.
    private static func rule(_ reader: inout LineReader, _ line: Span<UInt8>) throws(FeedSyntaxError) -> MappingRule {
        var policy: String?
        var ports: [MappingPort] = []
        try reader.beginObject(line)
        while let key = try reader.nextKey(line) {
            switch key {
            case .policy: policy = try reader.string(line)
            case .ports:
                ports = try reader.array(line) { (reader) throws(FeedSyntaxError) in try port(&reader, line) }
            default: try reader.skip(line)
            }
        }
        return MappingRule(policy: try require(policy, "policy", reader.offset), ports: ports)
    }

    /// Reads one port of a rule.
    private static func port(_ reader: inout LineReader, _ line: Span<UInt8>) throws(FeedSyntaxError) -> MappingPort {
        var port: UInt16?
        var endPort: UInt16?
        var transport = MappingTransport.any
        try reader.beginObject(line)
        while let key = try reader.nextKey(line) {
            switch key {
            case .port: port = try reader.integer(UInt16.self, line)
            case .endPort: endPort = try reader.integer(UInt16.self, line)
            case .protocol: transport = try reader.word(MappingTransport.self, "protocol", line)
            default: try reader.skip(line)
            }
        }
        return MappingPort(port: try require(port, "port", reader.offset), endPort: endPort, transport: transport)
    }

    /// The event of `kind` that the fields make; an absent one is reported at `offset`.
    consuming func event(_ kind: String, _ offset: Int) throws(FeedSyntaxError) -> FeedEvent {
        switch kind {
        case "hello":
            return .hello(
                FeedHello(
                    feedProtocol: try EventFields.require(feedProtocol, "protocol", offset),
                    instance: try EventFields.require(instance, "instance", offset),
                    sequence: try EventFields.require(sequence, "seq", offset), clock: clock))
        case "snapshot-begin", "snapshot-end":
            let mark = SnapshotMark(
                sequence: try EventFields.require(sequence, "seq", offset),
                count: try EventFields.require(count, "count", offset))
            return kind == "snapshot-begin" ? .snapshotBegin(mark) : .snapshotEnd(mark)
        case "identity":
            return .identity(
                FeedIdentity(
                    sequence: try EventFields.require(sequence, "seq", offset),
                    id: try EventFields.require(identity, "id", offset), name: identityName ?? "",
                    namespace: namespace ?? "", labels: labels, addresses: prefixes, isRemoved: isRemoved))
        case "upsert":
            return .upsert(
                MappingUpsert(
                    sequence: try EventFields.require(sequence, "seq", offset),
                    identity: try EventFields.require(identity, "identity", offset),
                    client: try EventFields.require(client, "client", offset),
                    name: try EventFields.require(name, "name", offset), chain: chain,
                    addresses: try EventFields.require(mapped, "addresses", offset), rules: rules, source: source))
        case "delete":
            return .delete(
                MappingDelete(
                    sequence: try EventFields.require(sequence, "seq", offset),
                    identity: try EventFields.require(identity, "identity", offset),
                    name: try EventFields.require(name, "name", offset),
                    addresses: try EventFields.require(addresses, "addresses", offset),
                    reason: try EventFields.require(deleteReason, "reason", offset)))
        case "ping": return .ping(try EventFields.require(sequence, "seq", offset))
        case "lagging": return .lagging(try EventFields.require(sequence, "seq", offset))
        default: return .error(reason ?? "")
        }
    }

    /// The value of a field, or an error that it is absent.
    static func require<Value>(_ value: Value?, _ field: String, _ offset: Int) throws(FeedSyntaxError) -> Value {
        guard let value else { throw FeedSyntaxError(.missingField(field), at: offset) }
        return value
    }
}
