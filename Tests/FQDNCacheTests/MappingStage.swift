import DNSWire
import FQDNCache

/// A mapping table, a feed and a fixed present, with short words for what happens to them.
struct MappingStage {
    /// The table.
    let table: MappingTable
    /// Its feed.
    let feed = Feed()
    /// The present, unless told otherwise.
    let now = Moment(seconds: 100)

    /// A stage with that table.
    init(limits: MappingLimits = MappingLimits(), shardBits: Int = 6) {
        table = MappingTable(limits: limits, shardBits: shardBits)
    }

    /// The address with that number.
    func ip(_ number: UInt32) -> IPAddress { IPAddress(ipv4: 0xC000_0200 + number) }

    /// An address that lives for some seconds from the present on.
    func address(_ number: UInt32, _ seconds: Int64, source: MappingSource = .answer) -> LearnedAddress {
        LearnedAddress(address: ip(number), ttl: 30, expires: now.adding(seconds: seconds), source: source)
    }

    /// Learns for identity 1 unless told otherwise.
    @discardableResult
    func learn(
        _ name: String, _ addresses: [LearnedAddress], identity: UInt64 = 1, chain: [String] = [], ruleSet: UInt32 = 7,
        answer: UInt64 = 0, after seconds: Int64 = 0
    ) throws -> LearnOutcome {
        table.learn(
            identity: identity, client: IPAddress(ipv4: 1), name: NameBuffer(try DomainName(name)),
            chain: try chain.map { try DomainName($0) }, addresses: addresses, ruleSet: ruleSet,
            answer: answer, now: now.adding(seconds: seconds), standing: feed.standing, publish: feed.publish)
    }

    /// The event to wait for before the cached answer with that serial is given out again, if that is known.
    func sequence(
        _ name: String, answer: UInt64, identity: UInt64 = 1, ruleSet: UInt32 = 7, after seconds: Int64 = 0
    ) throws -> UInt64? {
        table.sequence(
            identity: identity, name: NameBuffer(try DomainName(name)), answer: answer, ruleSet: ruleSet,
            now: now.adding(seconds: seconds), standing: feed.standing)
    }

    /// Reports connections of identity 1, unless told otherwise, that want their addresses until some seconds from the
    /// start.
    func keep(_ numbers: [UInt32], identity: UInt64 = 1, until end: Int64, after seconds: Int64 = 0) -> KeepOutcome {
        table.keep(
            identity: identity, addresses: numbers.map(ip), until: now.adding(seconds: end),
            now: now.adding(seconds: seconds), publish: feed.publish)
    }

    /// Says that addresses of a name of identity 1 are not in force.
    @discardableResult
    func unconfirm(_ name: String, _ numbers: [UInt32]) throws -> Int {
        table.unconfirm(identity: 1, name: try DomainName(name), addresses: numbers.map(ip))
    }

    /// Lets everything expire that is over.
    func expire(after seconds: Int64, budget: Int = .max) -> ExpiryOutcome {
        table.expire(now: now.adding(seconds: seconds), budget: budget, publish: feed.publish)
    }

    /// What is known about a name for identity 1.
    func mapping(_ name: String) throws -> Mapping? { table.mapping(identity: 1, name: try DomainName(name)) }

    /// A mapping of identity 1 as an event of a journal tells it.
    func event(_ name: String, _ addresses: [LearnedAddress], sequence: UInt64, chain: [String] = []) throws -> Mapping
    {
        Mapping(
            identity: 1, client: IPAddress(ipv4: UInt32(sequence)), name: try DomainName(name),
            chain: try chain.map { try DomainName($0) },
            addresses: addresses.map { MappedAddress($0, sequence: sequence) }, ruleSet: UInt32(sequence),
            learnedAt: now)
    }

    /// Forgets addresses of a name of identity 1.
    func forget(_ name: String, _ numbers: [UInt32]) throws {
        table.forget(identity: 1, name: try DomainName(name), addresses: numbers.map(ip))
    }
}
