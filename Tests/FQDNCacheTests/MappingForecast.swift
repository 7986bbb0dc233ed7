import DNSWire
import FQDNCache

/// What an answer must do to a mapping, told by sets and without any order of addresses.
struct MappingForecast {
    /// What was known.
    private let known: MappingModel.Entry?
    /// The rules that selected the name now.
    private let ruleSet: UInt32
    /// Addresses that a name may have.
    private let limit: Int
    /// The addresses of the answer that are not over, with the latest expiry of each.
    private(set) var latest: [IPAddress: LearnedAddress] = [:]
    /// All addresses as they would be without the limit.
    private var merged: [IPAddress: LearnedAddress] = [:]
    /// What would have to be published without the limit.
    private var news: Set<IPAddress> = []
    /// What is special about the answer.
    private(set) var events: Set<String> = []

    /// Foresees what an answer does; `standing` tells what became of the changes before.
    init(
        known: MappingModel.Entry?, wanted: [LearnedAddress], ruleSet: UInt32, limit: Int, now: Moment,
        standing: (UInt64) -> EventStanding
    ) {
        (self.known, self.ruleSet, self.limit) = (known, ruleSet, limit)
        for address in wanted where address.expires > now {
            if let other = latest[address.address], other.expires >= address.expires { continue }
            latest[address.address] = address
        }
        merged = known?.addresses.mapValues(\.learned) ?? [:]
        for (address, learned) in latest {
            guard let old = known?.addresses[address] else {
                merged[address] = learned
                news.insert(address)
                continue
            }
            if old.learned.expires < learned.expires {
                merged[address] = learned
                news.insert(address)
            } else if !old.isConfirmable {
                news.insert(address)
                events.insert("republished")
            }
        }
        if let known, known.ruleSet != ruleSet {
            for (address, learned) in merged where learned.expires > now { news.insert(address) }
            events.insert("other rules")
        } else {
            foreseeGathering(now: now, standing)
        }
        if isLimited { events.insert("address limit") }
        if isLimited, latest.count > limit { events.insert("left out") }
    }

    /// Foresees which addresses are published again because those of the answer wait for other events than the last.
    private mutating func foreseeGathering(now: Moment, _ standing: (UInt64) -> EventStanding) {
        let kept = known?.addresses.filter { !news.contains($0.key) && $0.value.isConfirmable } ?? [:]
        let waiting = kept.filter { $0.value.learned.expires > now && standing($0.value.sequence) == .awaited }
        let wanted = waiting.filter { latest[$0.key] != nil }
        guard !wanted.isEmpty, !news.isEmpty || Set(wanted.values.map(\.sequence)).count > 1 else { return }
        events.insert("gathered")
        news.formUnion(waiting.keys)
    }

    /// Whether the limit has something to say: only what is to be published can be too much.
    private var isLimited: Bool { merged.count > limit && !news.isEmpty }

    /// What is wrong with the changes of this mapping that were published, and with the outcome.
    func complaints(_ changes: [MappingChange], _ outcome: LearnOutcome) -> [String] {
        var complaints: [String] = []
        let leftOut = isLimited ? max(latest.count - limit, 0) : 0
        if outcome.leftOut != leftOut { complaints.append("left out \(outcome.leftOut), not \(leftOut)") }
        if outcome.changed != !changes.isEmpty { complaints.append("changed or not") }
        let published = changes.filter { $0.kind == .upsert }.flatMap(\.addresses).map(\.address)
        if !news.isSuperset(of: published) { complaints.append("published what is no news") }
        if !isLimited, Set(published) != news { complaints.append("news not published") }
        return complaints
    }

    /// Whether a mapping is what the answer must make of it.
    func isSatisfied(by entry: MappingModel.Entry?) -> Bool {
        let addresses = entry?.addresses ?? [:]
        // Nothing is there that is not known or wanted, and all as it must be.
        guard addresses.allSatisfy({ merged[$0.key] == $0.value.learned }) else { return false }
        guard news.isEmpty || addresses.isEmpty || entry?.ruleSet == ruleSet else { return false }
        guard news.allSatisfy({ addresses[$0]?.isConfirmable ?? true }) else { return false }
        guard isLimited else { return addresses.count == merged.count }
        guard addresses.count == limit else { return false }
        // The answer's own addresses come first, and of equal rank those that live longest.
        let gone = merged.filter { addresses[$0.key] == nil }
        return addresses.keys.allSatisfy { stays in
            gone.allSatisfy { rank($0.key) <= rank(stays) }
        }
    }

    /// What decides who stays: whether the answer has it, its expiry, and whether it was known before.
    private func rank(_ address: IPAddress) -> [Int64] {
        let isWanted = latest[address] != nil
        return [
            isWanted ? 1 : 0, merged[address]?.expires.nanoseconds ?? 0,
            known?.addresses[address] != nil ? 1 : 0,
        ]
    }
}

extension [Int64] {
    /// Whether the first ranks no higher.
    fileprivate static func <= (left: [Int64], right: [Int64]) -> Bool { !right.lexicographicallyPrecedes(left) }
}
