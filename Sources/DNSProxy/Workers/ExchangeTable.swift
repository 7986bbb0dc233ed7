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

    /// One question that is with an upstream.
    struct Exchange {
        /// The message as sent, ID of the current attempt included.
        var message: [UInt8]
        /// Hash of name, type and options.
        var key: UInt64
        /// What was asked, with the bits that select the cached answer.
        var answerKey: AnswerKey
        /// Index of the route.
        var route: Int
        /// Index of the server of the current attempt.
        var server: Int
        /// Places in the route of the servers that were tried.
        var tried: UInt64
        /// Attempts so far.
        var attempts = 0
        /// Index of the UDP socket of the current attempt, -1 over a connection.
        var socket = -1
        /// ID of the current attempt.
        var id: UInt16 = 0
        /// When the whole exchange is given up.
        var giveUp: Moment
        /// First waiting client, -1 for none.
        var firstWaiter = -1
    }

    /// One client that waits.
    struct Waiter {
        /// The way back.
        var sender: Sender
        /// The client's address.
        var client: IPAddress
        /// How it asked.
        var transport: QueryTransport
        /// Its query.
        var query: QueryMessage
        /// Its question bit for bit, and what follows of the room.
        var question: InlineArray<259, UInt8>
        /// The next client that waits for the same exchange, -1 for none.
        var next = -1
    }

    /// The end of an attempt's time.
    private struct Deadline: Comparable {
        /// When.
        let moment: Moment
        /// Which.
        let id: ExchangeID

        static func < (left: Deadline, right: Deadline) -> Bool { left.moment < right.moment }
    }

    /// Most exchanges.
    let capacity: Int
    /// Exchanges by place.
    private var exchanges: [Exchange?] = []
    /// Which use and attempt each place is at.
    private var generations: [UInt32] = []
    /// Places that are free.
    private var freeExchanges: [Int] = []
    /// Clients by place.
    private var waiters: [Waiter] = []
    /// Places of clients that are free.
    private var freeWaiters: [Int] = []
    /// Places by key, to join an exchange in flight.
    private var byKey: [UInt64: Int] = [:]
    /// Places by socket and ID, to find what an answer belongs to.
    private var bySocket: [UInt64: Int] = [:]
    /// Ends of attempts; those of an earlier generation are void.
    private var deadlines = Heap<Deadline>()

    /// An empty table for up to `capacity` exchanges.
    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Exchanges in flight.
    var count: Int { exchanges.count - freeExchanges.count }
    /// Whether another exchange may start.
    var hasRoom: Bool { count < capacity }
    /// Whether another client may wait.
    var hasRoomForWaiter: Bool {
        waiters.count - freeWaiters.count < capacity * ExchangeTable.waitersPerExchange
    }
    /// When the first attempt's time is up.
    var nextDeadline: Moment? { deadlines.min?.moment }

    /// Whether `id` is an exchange in flight, at that very attempt.
    func contains(_ id: ExchangeID) -> Bool {
        id.index < exchanges.count && generations[id.index] == id.generation && exchanges[id.index] != nil
    }

    /// The exchange at `index`, if there is one.
    subscript(index: Int) -> Exchange? {
        get { exchanges[index] }
        set { exchanges[index] = newValue }
    }

    /// Place of an exchange with `key` that `isSame` confirms.
    func find(key: UInt64, isSame: (Exchange) -> Bool) -> Int? {
        guard let index = byKey[key], let exchange = exchanges[index], isSame(exchange) else { return nil }
        return index
    }

    /// Place of the exchange whose current attempt left by `socket` with `id`.
    func find(socket: Int, id: UInt16) -> Int? {
        bySocket[UInt64(socket) << 16 | UInt64(id)]
    }

    /// Starts an exchange and returns its place.
    mutating func insert(_ exchange: Exchange) -> Int {
        let index: Int
        if let reused = freeExchanges.popLast() {
            index = reused
            exchanges[index] = exchange
            generations[index] &+= 1
        } else {
            index = exchanges.count
            exchanges.append(exchange)
            generations.append(0)
        }
        byKey[exchange.key] = index
        return index
    }

    /// Lets a client wait for the exchange at `index`.
    mutating func join(_ index: Int, _ waiter: Waiter) {
        var waiter = waiter
        waiter.next = exchanges[index]?.firstWaiter ?? -1
        let place: Int
        if let reused = freeWaiters.popLast() {
            place = reused
            waiters[place] = waiter
        } else {
            place = waiters.count
            waiters.append(waiter)
        }
        exchanges[index]?.firstWaiter = place
    }

    /// Takes the next client that waits for the exchange at `index`, the latest first.
    mutating func popWaiter(_ index: Int) -> Waiter? {
        guard let place = exchanges[index]?.firstWaiter, place >= 0 else { return nil }
        let waiter = waiters[place]
        exchanges[index]?.firstWaiter = waiter.next
        freeWaiters.append(place)
        return waiter
    }

    /// Starts a new attempt of the exchange at `index`, whose time ends at `deadline`.
    mutating func startAttempt(_ index: Int, socket: Int, id: UInt16, deadline: Moment) -> ExchangeID {
        generations[index] &+= 1
        exchanges[index]?.socket = socket
        exchanges[index]?.id = id
        if socket >= 0 { bySocket[UInt64(socket) << 16 | UInt64(id)] = index }
        let exchange = ExchangeID(index: index, generation: generations[index])
        deadlines.insert(Deadline(moment: deadline, id: exchange))
        return exchange
    }

    /// Ends the current attempt, so that a late answer is not taken for one to the next; returns its socket, or -1.
    mutating func endAttempt(_ index: Int) -> Int {
        guard let exchange = exchanges[index] else { return -1 }
        generations[index] &+= 1
        if exchange.socket >= 0 { bySocket[UInt64(exchange.socket) << 16 | UInt64(exchange.id)] = nil }
        exchanges[index]?.socket = -1
        return exchange.socket
    }

    /// Ends an exchange, whose attempt has ended and for which nobody waits any more.
    mutating func remove(_ index: Int) {
        guard let exchange = exchanges[index] else { return }
        if byKey[exchange.key] == index { byKey[exchange.key] = nil }
        exchanges[index] = nil
        freeExchanges.append(index)
    }

    /// The next exchange whose attempt's time is up.
    mutating func popExpired(now: Moment) -> Int? {
        while let first = deadlines.min {
            let isVoid = !contains(first.id)
            guard isVoid || first.moment <= now else { return nil }
            deadlines.removeMin()
            if !isVoid { return first.id.index }
        }
        return nil
    }

    /// Places of all exchanges whose current attempt left by `socket`.
    func exchanges(onSocket socket: Int) -> [Int] {
        exchanges.indices.filter { exchanges[$0]?.socket == socket }
    }
}
