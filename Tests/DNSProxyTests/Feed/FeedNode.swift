import DNSWire
import FQDNCache
import Foundation
import Logging
import MappingFeed
import NIOCore
import NIOPosix
import Testing

@testable import DNSProxy

/// What of a daemon learns and publishes: the table, the journal and the feed, put together as the engine does it, with
/// a clock that the test moves.
final class FeedNode {
    /// What is open for one identity at one address.
    struct Opening: Hashable {
        /// For whom.
        let identity: UInt64
        /// The address.
        let address: IPAddress
        /// Until when, in whole seconds: the test lets everything end in the middle of one.
        let expires: Int64
        /// What the rules of all names with the address open.
        let ports: PortSet
    }

    /// A mapping of the table, in a form that restarts do not change.
    struct Held: Hashable {
        /// For whom.
        let identity: UInt64
        /// The name.
        let name: DomainName
        /// Addresses and when they end.
        let addresses: [IPAddress: Int64]
        /// The rules.
        let rules: [MappingRule]
    }

    /// The table with its feed.
    let learning: Learning
    /// The path of the feed's socket.
    let socket: String
    /// Everything on disk.
    private let folder: URL
    /// The journal's folder within it.
    private let journal: String
    /// How often it was restarted.
    private let generation: Int
    /// How far the test has moved the clock, in nanoseconds.
    private var elapsed: Int64
    /// The identities that there are.
    private var identities: Set<UInt64>
    /// The rules that names may be selected by; every other one opens a range.
    private static let rules = (0..<4).map { number in
        [
            MappingRule(
                policy: "shop/p\(number)",
                ports: number == 0
                    ? [] : [MappingPort(port: UInt16(number), endPort: number == 2 ? 9 : nil, transport: .tcp)])
        ]
    }

    /// A node with an empty journal.
    convenience init() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "feed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await self.init(folder: folder, generation: 0, elapsed: 0, identities: [])
        changeIdentities(to: [1, 2, 3])
    }

    /// A node on the journal that is there.
    private init(folder: URL, generation: Int, elapsed: Int64, identities: Set<UInt64>) async throws {
        self.folder = folder
        self.generation = generation
        self.elapsed = elapsed
        self.identities = identities
        journal = folder.appending(path: "journal-\(generation)").path
        socket = folder.appending(path: "feed-\(generation).sock").path
        var configuration = EngineConfiguration()
        configuration.feed.socket = socket
        configuration.feed.journal = journal
        configuration.learning.maxAddressesPerName = 6
        // The clock of the test runs ahead of that by which a restart bounds what it finds.
        configuration.learning.minTTL = 1_000_000
        var nobody: Predecessor?
        learning = try Engine.learning(
            configuration, statuses: [], loop: MultiThreadedEventLoopGroup.singleton.next(), predecessor: &nobody,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await learning.hub.start()
    }

    /// The present.
    private var now: Moment { SystemClock.now().adding(nanoseconds: elapsed) }

    /// The middle of the second on the wall clock that is `seconds` away, so that no rounding on the way matters.
    private func moment(in seconds: Int64) -> Moment {
        let clock = WallClock()
        return clock.moment(at: clock.seconds(at: now).rounded(.down) + Double(seconds) + 0.5)
    }

    /// A name out of a few.
    private func name(using random: inout SeededGenerator) throws -> DomainName {
        try DomainName("n\(random.below(8)).example")
    }

    /// An address out of a few of both families.
    private func address(using random: inout SeededGenerator) -> IPAddress {
        random.below(3) == 0
            ? IPAddress(high: 0x2001_0DB8 << 32, low: UInt64(random.below(6)))
            : IPAddress(ipv4: 0xC000_0200 + UInt32(random.below(12)))
    }

    /// One answer is learned.
    func learn(using random: inout SeededGenerator) {
        guard let name = try? name(using: &random), let identity = identities.sorted().randomElement(using: &random)
        else { return }
        let lifetime = Int64(random.below(60) + 1)
        let addresses = (0...random.below(5)).map { _ in
            LearnedAddress(
                address: address(using: &random), ttl: UInt32(lifetime), expires: moment(in: lifetime))
        }
        let rules = FeedNode.rules[random.below(FeedNode.rules.count)]
        _ = learning.table.learn(
            identity: identity, client: IPAddress(ipv4: 0x0A00_0001), name: NameBuffer(name), chain: [],
            addresses: addresses, ruleSet: learning.ruleSets.handle(for: rules), now: now,
            standing: learning.standing, publish: learning.publish)
    }

    /// Time passes, and what is over expires.
    func expire(after seconds: Int) {
        elapsed += Int64(seconds) * 1_000_000_000
        var isDone = false
        while !isDone {
            let outcome = learning.table.expire(now: now, budget: 100, publish: learning.publish)
            isDone = outcome.next.map { $0 > now } ?? true
        }
    }

    /// An enforcer reports connections.
    func keep(using random: inout SeededGenerator) {
        let addresses = (0...random.below(4)).map { _ in address(using: &random) }
        _ = learning.table.keep(
            identity: UInt64(random.below(4)), addresses: addresses, until: moment(in: 60), now: now,
            publish: learning.publish)
    }

    /// An enforcer could not put a mapping in force.
    func reject(using random: inout SeededGenerator) {
        guard let name = try? name(using: &random) else { return }
        learning.table.unconfirm(
            identity: UInt64(random.below(4)), name: name, addresses: [address(using: &random)])
    }

    /// The policy stops selecting half of the names for one identity.
    func removeByPolicy(using random: inout SeededGenerator) {
        let (unlucky, parity) = (UInt64(random.below(4)), random.below(2))
        _ = learning.table.remove(
            where: { identity, name, _ in identity == unlucky && Int(name[2]) & 1 == parity }, reason: .policy,
            publish: learning.publish)
    }

    /// Identities come and go.
    func changeIdentities(using random: inout SeededGenerator) {
        changeIdentities(to: Set((1...4).filter { _ in random.below(3) > 0 }.map(UInt64.init)))
    }

    /// Brings the identities to `wanted`, in the engine's order.
    private func changeIdentities(to wanted: Set<UInt64>) {
        identities = wanted
        learning.hub.announce(
            wanted.sorted().map {
                FeedIdentity(id: $0, name: "i\($0)", namespace: "shop", labels: ["tier": "\($0 & 1)"])
            })
        _ = learning.table.remove(
            where: { identity, _, _ in !wanted.contains(identity) }, reason: .policy, publish: learning.publish)
        learning.hub.withdrawIdentities(except: wanted)
    }

    /// Waits until the feed counts exactly that many subscribers.
    func wait(forSubscribers count: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while learning.hub.counters.subscribers != count {
            try #require(ContinuousClock.now < deadline, "\(learning.hub.counters.subscribers) instead of \(count)")
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Waits until everything that was published is in the journal and acknowledged by whoever acknowledges.
    func settle() async throws {
        let last = learning.hub.lastSequence
        let deadline = ContinuousClock.now + .seconds(120)
        while learning.hub.released < last {
            try #require(ContinuousClock.now < deadline, "\(learning.hub.released) of \(last) are released")
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// A node on what is on the disk at this moment, as after kill -9.
    func killedAndRestarted() async throws -> FeedNode {
        try FileManager.default.copyItem(
            atPath: journal, toPath: folder.appending(path: "journal-\(generation + 1)").path)
        await learning.hub.shutdown()
        let node = try await FeedNode(
            folder: folder, generation: generation + 1, elapsed: elapsed, identities: identities)
        // As the engine does when it starts: whether they had reached the disk is not known.
        node.changeIdentities(to: identities)
        return node
    }

    /// Stops, and removes everything on disk.
    func stop() async {
        await learning.hub.shutdown()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Everything that the table holds.
    var mappings: Set<Held> {
        var found: Set<Held> = []
        forEach { mapping in
            found.insert(
                Held(
                    identity: mapping.identity, name: mapping.name,
                    addresses: Dictionary(
                        uniqueKeysWithValues: mapping.addresses.map {
                            ($0.learned.address, FeedNode.wholeSeconds($0.learned.expires))
                        }),
                    rules: learning.ruleSets.rules(of: mapping.ruleSet)))
        }
        return found
    }

    /// What the table holds open, for identities that one of the selectors selects.
    func openings(selected: [IdentitySelector]?) -> Set<Opening> {
        var ports: [[UInt64]: PortSet] = [:]
        var ends: [[UInt64]: (IPAddress, Int64)] = [:]
        forEach { mapping in
            if let selected, !selected.contains(where: { $0.labels["tier"] == "\(mapping.identity & 1)" }) { return }
            for address in mapping.addresses.map(\.learned) {
                let key = [mapping.identity, address.address.high, address.address.low]
                let rules = PortSet(learning.ruleSets.rules(of: mapping.ruleSet))
                ports[key] = ports[key].map { $0.union(rules) } ?? rules
                let end = FeedNode.wholeSeconds(address.expires)
                ends[key] = (address.address, max(ends[key]?.1 ?? .min, end))
            }
        }
        return Set(
            ends.map { key, end in
                Opening(identity: key[0], address: end.0, expires: end.1, ports: ports[key] ?? .nothing)
            })
    }

    /// Visits every mapping.
    private func forEach(_ body: (Mapping) -> Void) {
        var next: MappingCursor? = MappingCursor()
        while let cursor = next { next = learning.table.list(from: cursor, limit: 100, body) }
    }

    /// A moment on the wall clock in whole seconds.
    static func wholeSeconds(_ moment: Moment) -> Int64 { wholeSeconds(WallClock().seconds(at: moment)) }

    /// A time of the feed in whole seconds.
    static func wholeSeconds(_ seconds: Double) -> Int64 { Int64(seconds.rounded(.down)) }
}

/// Random numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    /// What the next number is made of.
    private var state: UInt64

    /// A generator whose numbers follow from `seed`.
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    /// The next number.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// A number from 0 to below `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
