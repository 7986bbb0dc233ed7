import DNSWire
import FQDNCache
import FQDNPolicy
import HeapModule

/// Questions that are with an upstream, and the clients that wait for each.
struct ExchangeTable: ~Copyable {
    /// Exchanges that a worker may have in flight.
    static let defaultCapacity = 8_192
    /// Clients that may wait, over all exchanges, for each exchange that may be in flight.
    static let waitersPerExchange = 2

    /// What an exchange is looked at for when its time has come.
    enum Event: Equatable {
        /// The time of the attempt with this number is up.
        case timeout(attempt: Int)
        /// The answer to the attempt with this number is later than usual.
        case late(attempt: Int)
        /// Clients have waited long enough for what the cache has, if only past its lifetime.
        case clientResponse
    }

    /// An event in the future.
    private struct Alarm: Comparable {
        /// When.
        let moment: Moment
        /// Place of the exchange.
        let index: Int
        /// Which use of that place.
        let generation: UInt32
        /// What for.
        let event: Event

        static func < (left: Alarm, right: Alarm) -> Bool { left.moment < right.moment }
    }

    /// Most exchanges.
    let capacity: Int
    /// Exchanges by place; in a free place what is left of the last one, see `has`. Read and changed right here, because an
    /// exchange is some hundreds of bytes with several references, which any way around this would copy.
    var places: [Exchange] = []
    /// Which use each place is at.
    private var generations: [UInt32] = []
    /// Places that are free.
    private var freeExchanges: [Int] = []
    /// Clients by place.
    var waiters: [Waiter] = []
    /// Places of clients that are free.
    var freeWaiters: [Int] = []
    /// How many questions of each client wait.
    var shares = ClientShares()
    /// Places by key, to join an exchange in flight.
    private var byKey: [ShortKey: Int] = [:]
    /// Places by socket and ID, to find what an answer belongs to.
    private var bySocket: [ShortKey: Int] = [:]
    /// What comes; alarms of exchanges and attempts that have ended are void.
    private var alarms = Heap<Alarm>()

    /// An empty table for up to `capacity` exchanges.
    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Exchanges in flight.
    var count: Int { places.count - freeExchanges.count }
    /// Whether another exchange may start.
    var hasRoom: Bool { count < capacity }
    /// When the first alarm goes off.
    var nextDeadline: Moment? { alarms.min?.moment }
    /// Alarms, void ones included.
    var alarmCount: Int { alarms.count }

    /// Whether there is an exchange at `index`.
    func has(_ index: Int) -> Bool { places.indices.contains(index) && !places[index].isOver }

    /// Whether somebody may join the exchange at `index`.
    func isJoinable(_ index: Int) -> Bool { has(index) && !places[index].isAnswered }

    /// The exchange and the place of its attempt that `id` names, if that is under way.
    func find(_ id: ExchangeID) -> (index: Int, slot: Int)? {
        guard id.index < places.count, generations[id.index] == id.generation,
            let slot = places[id.index].slot(ofAttempt: id.attempt)
        else { return nil }
        return (id.index, slot)
    }

    /// Place of an exchange with `key` that `isSame` confirms.
    func find(key: UInt64, isSame: (Exchange) -> Bool) -> Int? {
        guard let index = byKey[ShortKey(key)], isSame(places[index]) else { return nil }
        return index
    }

    /// The exchange and the place of its attempt that left by `socket` with `id`.
    func find(socket: Int, id: UInt16) -> (index: Int, slot: Int)? {
        guard let index = bySocket[ShortKey(socket, id)] else { return nil }
        for slot in 0..<2 where places[index].running.isUnderWay(slot, socket: socket, id: id) {
            return (index, slot)
        }
        return nil
    }

    /// Starts an exchange and returns its place.
    mutating func insert(_ exchange: Exchange) -> Int {
        let index: Int
        if let reused = freeExchanges.popLast() {
            index = reused
            places[index] = exchange
            generations[index] &+= 1
        } else {
            index = places.count
            places.append(exchange)
            generations.append(0)
        }
        byKey[ShortKey(exchange.key)] = index
        return index
    }

    /// Starts `attempt` of the exchange at `index` in the free place `slot`; its time ends at `deadline`, and its answer
    /// is late from `late` on.
    mutating func start(_ attempt: Attempt, at index: Int, slot: Int, deadline: Moment, late: Moment?) -> ExchangeID {
        places[index].running[slot] = attempt
        if attempt.socket >= 0 { bySocket[ShortKey(attempt.socket, attempt.id)] = index }
        setAlarm(index, .timeout(attempt: attempt.number), at: deadline)
        if let late { setAlarm(index, .late(attempt: attempt.number), at: late) }
        return ExchangeID(index: index, generation: generations[index], attempt: attempt.number)
    }

    /// Ends the attempt at `slot` of the exchange at `index`, so that a late answer is not taken; returns it.
    mutating func end(_ index: Int, slot: Int) -> Attempt? {
        guard let attempt = places[index].running[slot] else { return nil }
        if attempt.socket >= 0 { bySocket[ShortKey(attempt.socket, attempt.id)] = nil }
        places[index].running[slot] = nil
        return attempt
    }

    /// Lets nobody join the exchange at `index` any more.
    mutating func hide(_ index: Int) {
        let key = ShortKey(places[index].key)
        if byKey[key] == index { byKey[key] = nil }
    }

    /// Ends an exchange, whose attempts have ended and for which nobody waits any more.
    mutating func remove(_ index: Int) {
        guard has(index) else { return }
        hide(index)
        places[index].isOver = true
        places[index].departure = nil
        freeExchanges.append(index)
    }

    /// Places of all exchanges with an attempt that left by `socket`, and of the attempt.
    func attempts(onSocket socket: Int) -> [(index: Int, slot: Int)] {
        places.indices.flatMap { index in
            (0..<2).filter { places[index].running[$0]?.socket == socket }.map { (index, $0) }
        }
    }

    /// Forgets which servers of their route exchanges have tried, because the routes have changed.
    mutating func forgetTried() {
        for index in places.indices { places[index].tried = 0 }
    }
}

/// What happens when time passes.
extension ExchangeTable {
    /// Has the exchange at `index` looked at for `event` at `moment`.
    mutating func setAlarm(_ index: Int, _ event: Event, at moment: Moment) {
        // Most attempts end long before their time; what they leave behind must not pile up.
        if alarms.count > 8 * count + 1_024 { alarms = Heap(alarms.unordered.filter { isValid($0) }) }
        alarms.insert(Alarm(moment: moment, index: index, generation: generations[index], event: event))
    }

    /// The next event whose moment has come, with the place of its exchange.
    mutating func popAlarm(now: Moment) -> (index: Int, event: Event)? {
        while let first = alarms.min {
            let isValid = isValid(first)
            guard !isValid || first.moment <= now else { return nil }
            alarms.removeMin()
            if isValid { return (first.index, first.event) }
        }
        return nil
    }

    /// Whether what an alarm is about is still under way.
    private func isValid(_ alarm: Alarm) -> Bool {
        guard generations[alarm.index] == alarm.generation, has(alarm.index) else { return false }
        switch alarm.event {
        case .timeout(let attempt), .late(let attempt):
            return places[alarm.index].slot(ofAttempt: attempt) != nil
        case .clientResponse: return !places[alarm.index].isAnswered
        }
    }
}
