internal import DNSWire

/// What becomes of a name's addresses when an answer adds to them: which are new or live longer, and which must go.
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

    /// All addresses, those known before first.
    private var addresses: [MappedAddress]
    /// What happens to each.
    private var states: [State]
    /// The addresses as they were before.
    private let before: [MappedAddress]
    /// Positions by address, once there are too many to search.
    private var positions: [IPAddress: Int]?

    /// Addresses beyond which `positions` is used.
    private static let searchLimit = 32

    /// Starts with what is known.
    init(_ known: [MappedAddress]) {
        before = known
        addresses = known
        states = [State](repeating: .kept, count: known.count)
    }

    /// Whether there is anything to publish.
    var hasChanges: Bool { states.contains(.changed) }

    /// The number of addresses that find no place.
    var droppedCount: Int { states.count { $0 == .dropped } }

    /// The position of an address.
    private mutating func position(_ address: IPAddress) -> Int? {
        if addresses.count <= AddressMerge.searchLimit {
            return addresses.firstIndex { $0.learned.address == address }
        }
        if positions == nil {
            positions = Dictionary(
                addresses.indices.map { (addresses[$0].learned.address, $0) }, uniquingKeysWith: { first, _ in first })
        }
        return positions?[address]
    }

    /// Adds the addresses of an answer that are not over yet; of the same address the latest expiry counts.
    mutating func add(_ wanted: [LearnedAddress], now: Moment) {
        for address in wanted where address.expires > now {
            add(MappedAddress(address, sequence: 0), state: .changed)
        }
    }

    /// Adds addresses that were published before.
    mutating func restore(_ known: [MappedAddress]) {
        for address in known { add(address, state: .kept) }
    }

    /// Adds an address, or extends it.
    private mutating func add(_ address: MappedAddress, state: State) {
        if let position = position(address.learned.address) {
            guard addresses[position].learned.expires < address.learned.expires else { return }
            addresses[position] = address
            states[position] = state
        } else {
            positions?[address.learned.address] = addresses.count
            addresses.append(address)
            states.append(state)
        }
    }

    /// Publishes every address that is not over yet, because the rules are other ones now.
    mutating func changeAll(now: Moment) {
        for position in addresses.indices where addresses[position].learned.expires > now {
            states[position] = .changed
        }
    }

    /// Drops what is above the limit: the earliest to expire first; of equal ones those known before stay, so that an
    /// answer above the limit changes nothing when it is seen again.
    mutating func limit(to limit: Int) {
        guard addresses.count > limit else { return }
        let order = addresses.indices.sorted {
            let (left, right) = (addresses[$0].learned.expires, addresses[$1].learned.expires)
            return left != right ? left < right : $0 > $1
        }
        for position in order.prefix(addresses.count - limit) { states[position] = .dropped }
    }

    /// Addresses known before, as they were, that are dropped.
    var removed: [MappedAddress] { before.indices.filter { states[$0] == .dropped }.map { before[$0] } }

    /// Addresses known before, as they were, that are not dropped.
    var keptOfBefore: [MappedAddress] { before.indices.filter { states[$0] != .dropped }.map { before[$0] } }

    /// Addresses to publish.
    var changedAddresses: [LearnedAddress] {
        addresses.indices.filter { states[$0] == .changed }.map { addresses[$0].learned }
    }

    /// All addresses that stay, those published now with the number of that event.
    func result(_ sequence: UInt64) -> [MappedAddress] {
        addresses.indices.filter { states[$0] != .dropped }.map { position in
            states[position] == .changed
                ? MappedAddress(addresses[position].learned, sequence: sequence) : addresses[position]
        }
    }

    /// What to tell about the addresses of an answer that are not over, of which those published now have the number
    /// `published`.
    mutating func outcome(
        of wanted: [LearnedAddress], now: Moment, published: UInt64, changed: Bool
    ) -> LearnOutcome {
        var outcome = LearnOutcome(changed: changed)
        var leftOut: Set<Int> = []
        for address in wanted where address.expires > now {
            guard let position = position(address.address) else { continue }
            switch states[position] {
            case .kept: outcome.sequence = max(outcome.sequence, addresses[position].sequence)
            case .changed: outcome.sequence = max(outcome.sequence, published)
            case .dropped: leftOut.insert(position)
            }
        }
        outcome.leftOut = leftOut.count
        return outcome
    }
}
