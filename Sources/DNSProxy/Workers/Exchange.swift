import DNSWire
import FQDNCache
import FQDNPolicy

/// One question that is with upstreams, at one of them or at two.
struct Exchange {
    /// The query in canonical form: ID 0, the name in lower case, and our OPT record at its end.
    let message: [UInt8]
    /// Hash of name, type and options.
    let key: UInt64
    /// What was asked, with the bits that select the cached answer.
    let answerKey: AnswerKey
    /// Index of the route.
    let route: Int
    /// The local aliases that led to the name in `message`; nil when that is what clients ask.
    var departure: Departure?
    /// Places in the route of the servers that were tried.
    var tried: UInt64 = 0
    /// Attempts so far.
    var attempts = 0
    /// The attempts that are under way.
    var running = RunningAttempts()
    /// When no further attempt starts.
    let giveUp: Moment
    /// First waiting client, -1 for none.
    var firstWaiter = -1
    /// Whether a client has asked, rather than the cache to renew what it has.
    var isWanted: Bool
    /// Whether a server answered with an error.
    var isRefused = false
    /// Whether clients that ask meanwhile get the answer past its lifetime at once, as those before them did.
    var isOverdue = false
    /// Whether it is over for clients, and only goes on to see how the slower server does.
    var isAnswered = false
    /// Whether `ExchangeDirectory` has it under our number.
    var isListed = false
    /// Whether it was removed from the table and its place is free.
    var isOver = false

    /// Behind the last byte of the question in `message`.
    var questionEnd: Int { message.count - EDNS.emptyLength }
    /// Whether an attempt is under way.
    var isRunning: Bool { running.first != nil || running.second != nil }
    /// Which of the two places for attempts is free.
    var freeSlot: Int? { running.first == nil ? 0 : running.second == nil ? 1 : nil }

    /// The place of the attempt with `number`, if it is under way.
    func slot(ofAttempt number: Int) -> Int? {
        running.first?.number == number ? 0 : running.second?.number == number ? 1 : nil
    }
}

/// The attempts of an exchange: two properties, because reading an element of an `InlineArray` copies all of it (Swift 6.3).
struct RunningAttempts {
    /// The attempt at place 0.
    var first: Attempt?
    /// The attempt at place 1.
    var second: Attempt?

    /// The attempt at place 0 or 1.
    subscript(slot: Int) -> Attempt? {
        @inline(__always) get { slot == 0 ? first : second }
        @inline(__always) set { if slot == 0 { first = newValue } else { second = newValue } }
    }

    /// Whether the attempt at a place has left by `socket` with `id`.
    func isUnderWay(_ slot: Int, socket: Int, id: UInt16) -> Bool {
        slot == 0
            ? first?.socket == socket && first?.id == id
            : second?.socket == socket && second?.id == id
    }
}

/// One question to one server.
struct Attempt {
    /// Its number in the exchange, from 1.
    let number: Int
    /// Number of the server.
    let server: Int
    /// Index of the UDP socket, -1 over a connection.
    let socket: Int
    /// ID, 0 over a connection.
    let id: UInt16
    /// Letters that were sent in upper case.
    let mask: CaseMask
    /// Whether letters were sent in random case.
    let isMasked: Bool
    /// Whether it was sent with our OPT record.
    let hasEDNS: Bool
    /// Whether the server has refused the same question with our OPT record.
    let isFallback: Bool
    /// When it was sent.
    let started: Moment
    /// Whether it was never sent, for want of a socket: that says nothing about the server.
    var isUnsent = false
    /// Whether its answer is later than usual.
    var isLate = false
}

/// An attempt of an exchange, so that a late answer is not mistaken.
struct ExchangeID: Hashable, Sendable {
    /// Place of the exchange in the worker's table.
    let index: Int
    /// Counts the uses of that place.
    let generation: UInt32
    /// Number of the attempt.
    let attempt: Int
}

/// One client that waits for an exchange.
struct Waiter {
    /// The way back.
    var sender: Sender
    /// Where its query came from.
    var origin: QueryOrigin
    /// Whether the exchange had begun for another query.
    var isCoalesced = false
    /// Its query.
    var query: QueryMessage
    /// Its question bit for bit, and what follows of the room.
    var question: InlineArray<259, UInt8>
    /// The next client that waits for the same exchange, -1 for none.
    var next = -1
    /// The one before it, -1 for none.
    var previous = -1
    /// Place of the exchange.
    var exchange = -1
    /// Place of its client among those that wait.
    var share = -1
    /// The same client's next older question, -1 for none.
    var older = -1
    /// The same client's next newer question, -1 for none.
    var newer = -1
}
