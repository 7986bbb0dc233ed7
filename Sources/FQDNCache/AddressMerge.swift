internal import DNSWire

/// What becomes of a name's addresses when others come: which are to be published, and which make room.
///
/// At the limit the addresses that came go last, so that an answer that fits is known whole. The others go first, those
/// that expire first before those that expire later; of equal ones those that were known for longer stay. Among the
/// addresses that came the order is the same, so that an answer above the limit moves nothing when it is seen again.
struct AddressMerge {
    /// What happens to one address.
    private enum State {
        /// As it was.
        case kept
        /// To be published.
        case changed
        /// Its place was needed.
        case dropped
    }

    /// One address.
    private struct Candidate {
        /// The address as it will be, but for the number of its event if that is still to come.
        var mapped: MappedAddress
        /// What happens to it.
        var state: State
        /// Whether it is one of those that came.
        var isWanted: Bool
    }

    /// All addresses, those known before first and in their order.
    private var candidates: [Candidate]
    /// The addresses as they were before.
    private let before: [MappedAddress]
    /// Positions by address, once there are too many to search.
    private var positions: [IPAddress: Int]?

    /// Addresses beyond which `positions` is used.
    private static let searchLimit = 32

    /// Starts with what is known.
    init(_ known: [MappedAddress]) {
        before = known
        candidates = known.map { Candidate(mapped: $0, state: .kept, isWanted: false) }
    }

    /// Whether there is anything to publish.
    var hasChanges: Bool { candidates.contains { $0.state == .changed } }

    /// The number of addresses that find no place.
    var droppedCount: Int { candidates.count { $0.state == .dropped } }

    /// The position of an address.
    private mutating func position(_ address: IPAddress) -> Int? {
        if candidates.count <= AddressMerge.searchLimit {
            return candidates.firstIndex { $0.mapped.learned.address == address }
        }
        if positions == nil {
            positions = Dictionary(
                candidates.indices.map { (candidates[$0].mapped.learned.address, $0) },
                uniquingKeysWith: { first, _ in first })
        }
        return positions?[address]
    }

    /// Adds the addresses of an answer that are not over yet; of the same address the latest expiry counts. One that no
    /// enforcer has in force, though it was published, is published again.
    mutating func add(_ wanted: [LearnedAddress], now: Moment) {
        for address in wanted where address.expires > now {
            guard let position = position(address.address) else {
                append(MappedAddress(address, sequence: 0), state: .changed)
                continue
            }
            candidates[position].isWanted = true
            if candidates[position].mapped.learned.expires < address.expires {
                candidates[position].mapped = MappedAddress(address, sequence: 0)
                candidates[position].state = .changed
            } else if !candidates[position].mapped.isConfirmable {
                candidates[position].state = .changed
            }
        }
    }

    /// Adds addresses that were published before; what they say replaces what is known.
    mutating func restore(_ published: [MappedAddress]) {
        for address in published {
            if let position = position(address.learned.address) {
                candidates[position].mapped = address
                candidates[position].isWanted = true
            } else {
                append(address, state: .kept)
            }
        }
    }

    /// Adds an address that is not there yet.
    private mutating func append(_ address: MappedAddress, state: State) {
        positions?[address.learned.address] = candidates.count
        candidates.append(Candidate(mapped: address, state: state, isWanted: true))
    }

    /// Publishes every address that is not over yet, because the rules are other ones now.
    mutating func changeAll(now: Moment) {
        for position in candidates.indices where candidates[position].mapped.learned.expires > now {
            candidates[position].state = .changed
        }
    }

    /// Sees to it that one event can be waited for: when some of the addresses that came were published and are not in force yet,
    /// while others are to be published, or were by a later event, all that wait are published once more, together; so they are
    /// when one has just been rejected. All of the mapping, so that answers that share some of their addresses do not take them
    /// from each other's events in turn.
    mutating func gather(now: Moment, _ standing: (UInt64) -> EventStanding) {
        var waiting: [Int] = []
        var firstWanted = UInt64.max
        var lastWanted: UInt64 = 0
        var isRejected = false
        for position in candidates.indices where candidates[position].state == .kept {
            let (mapped, isWanted) = (candidates[position].mapped, candidates[position].isWanted)
            if isWanted { lastWanted = max(lastWanted, mapped.sequence) }
            guard mapped.learned.expires > now, mapped.isConfirmable else { continue }
            switch standing(mapped.sequence) {
            case .inForce: continue
            case .rejected where !isWanted: continue
            case .rejected: isRejected = true
            case .awaited: break
            }
            waiting.append(position)
            if isWanted { firstWanted = min(firstWanted, mapped.sequence) }
        }
        let isLate = firstWanted < lastWanted || firstWanted != .max && hasChanges
        guard isLate || isRejected else { return }
        for position in waiting { candidates[position].state = .changed }
    }

    /// Drops what is above the limit.
    mutating func limit(to limit: Int) {
        guard candidates.count > limit else { return }
        let order = candidates.indices.sorted {
            let (left, right) = (candidates[$0], candidates[$1])
            guard left.isWanted == right.isWanted else { return right.isWanted }
            let (first, second) = (left.mapped.learned.expires, right.mapped.learned.expires)
            return first != second ? first < second : $0 > $1
        }
        for position in order.prefix(candidates.count - limit) { candidates[position].state = .dropped }
    }

    /// Addresses known before, as they were, that are dropped.
    var removed: [MappedAddress] { before.indices.filter { candidates[$0].state == .dropped }.map { before[$0] } }

    /// Addresses known before, as they were, that are not dropped.
    var keptOfBefore: [MappedAddress] {
        before.indices.filter { candidates[$0].state != .dropped }.map { before[$0] }
    }

    /// Addresses to publish.
    var changedAddresses: [LearnedAddress] {
        candidates.filter { $0.state == .changed }.map(\.mapped.learned)
    }

    /// All addresses that stay, those published now with the number of that event.
    func result(_ sequence: UInt64) -> [MappedAddress] {
        var result: [MappedAddress] = []
        result.reserveCapacity(candidates.count)
        for candidate in candidates where candidate.state != .dropped {
            result.append(
                candidate.state == .changed
                    ? MappedAddress(candidate.mapped.learned, sequence: sequence) : candidate.mapped)
        }
        return result
    }

    /// What to tell about the addresses that came, of which those published now have the number `published`.
    func outcome(published: UInt64, changed: Bool) -> LearnOutcome {
        var outcome = LearnOutcome(changed: changed)
        for candidate in candidates where candidate.isWanted {
            switch candidate.state {
            case .kept: outcome.sequence = max(outcome.sequence, candidate.mapped.sequence)
            case .changed: outcome.sequence = max(outcome.sequence, published)
            case .dropped: outcome.leftOut += 1
            }
        }
        return outcome
    }
}
