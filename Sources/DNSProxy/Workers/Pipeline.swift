import DNSWire
import FQDNCache
import FQDNPolicy

/// What one worker does with queries and with the answers of upstreams, and everything that it remembers between
/// them. It moves no bytes to or from clients: a query comes in as a span, a reply goes out through `Listeners`.
///
/// The path of a cached answer is `HitPath.swift`; what else can happen to a query is in `Pipeline+….swift`.
struct Pipeline: ~Copyable {
    /// What all workers share.
    let shared: EngineShared
    /// The name of the query at hand.
    var name = NameBuffer()
    /// The rest of the query at hand.
    var query = QueryMessage()
    /// What the OPT record of its reply has.
    var options = ReplyOptions()
    /// How cookies are made and judged.
    var secrets: CookieSecrets
    /// Recent verdicts.
    var decisions = DecisionMemory()
    /// Rules that selected names.
    var ruleSets = RuleSetMemory()
    /// Cached answers whose mapping is in force.
    var acknowledged = AcknowledgedMemory()
    /// What was counted.
    var counters = WorkerCounters()
    /// Queries that other workers have passed to this one, and that it has taken; `counters` do not have them as received.
    var steeredTaken: UInt64 = 0
    /// How long queries took.
    var durations = WorkerDurations()
    /// Whether `durations` has changed since it was shown.
    var hasNewDurations = false
    /// Whether the policy allowed the query at hand only because of audit.
    var isAudited = false
    /// Where finished queries are noted for people to look at.
    var flows: FlowRecorder
    /// Which sources cannot be clients.
    var sources: SourceCheck
    /// Whether clients may have so many responses only.
    let limitsResponses: Bool
    /// Queries over UDP that were too many for their clients.
    var limited: UInt64 = 0
    /// Clients whose questions have made room for those of others in this turn, and who have not been told yet.
    var shed: [Waiter] = []
    /// Queries that came and were answered in this turn.
    var answeredInTurn: UInt64 = 0
    /// Whether something was learned in this turn that the feed does not know of yet.
    var hasLearned = false
    /// Names that were asked for and answered in this turn for the first time.
    var seen: [SeenNames.Note] = []
    /// Which names were.
    var seenFilter = SeenFilter()
    /// Queries that wait for an upstream.
    var exchanges: ExchangeTable
    /// Answers that wait for the journal or an enforcer.
    var holds = HoldTable()
    /// Our sockets towards upstreams.
    var upstreams: UpstreamSockets
    /// What we know of the upstreams.
    var health: UpstreamHealth
    /// Which upstreams answer for which names.
    var routing: RouteTable
    /// How many second questions may be asked.
    var budget = RaceBudget()
    /// Units of 100 ms for which a connection may be idle, as clients are told.
    let keepalive: UInt16
    /// The worker's number.
    let number: Int
    /// Where answers of upstreams are taken apart.
    var scrubber = AnswerScrubber()
    /// Room for the image of an upstream's answer; taken out while it is in use.
    var image = [UInt8](repeating: 0, count: 65_535)
    /// Room for what the scrubber writes when only what it finds is wanted.
    var scratch = [UInt8](repeating: 0, count: 65_535)
    /// Room for a question to an upstream: header, the longest name, type and class, and our OPT record.
    var datagram = [UInt8](repeating: 0, count: Header.length + 255 + 4 + EDNS.emptyLength)
    /// The worker's sleep, which new upstream sockets join.
    let epoll: Epoll
    /// The worker's mailbox, for upstreams that are spoken to over connections.
    let mailbox: Mailbox

    /// What holds for one turn of the worker's loop.
    struct Turn {
        /// What all workers share; here too, because what is reached through a parameter needs no reference count.
        let shared: EngineShared
        /// The policy and the local records in force.
        var snapshot: EngineSnapshot
        /// Changes whenever a remembered decision may have become wrong.
        var epoch: UInt64
        /// The time.
        var now: Moment
    }

    /// A pipeline with nothing in it.
    init(shared: EngineShared, number: Int, epoll: consuming Epoll) {
        self.shared = shared
        self.number = number
        self.epoll = epoll
        mailbox = shared.mailboxes[number]
        sources = SourceCheck(listeners: shared.listen, networks: shared.allowQueriesFrom)
        limitsResponses = shared.responseLimiter != nil
        keepalive = UInt16(clamping: 10 * shared.limits.idleTimeout)
        exchanges = ExchangeTable(capacity: ExchangeTable.defaultCapacity)
        upstreams = UpstreamSockets()
        health = UpstreamHealth(board: shared.board)
        routing = shared.routes.load()
        secrets = shared.cookies.load()
        flows = FlowRecorder(shared.flows)
        upstreams.adopt(routing)
        health.adopt(routing)
    }

    /// Takes the routes in force if they have changed; what is in flight goes on.
    mutating func adoptRoutes() {
        guard shared.routes.generation != routing.generation else { return }
        routing = shared.routes.load()
        upstreams.adopt(routing)
        health.adopt(routing)
        exchanges.forgetTried()
    }

    /// Handles the query in `message` from first byte to last: the reply is written into `output` and its length
    /// returned, 0 when there is none or not yet. `sender` tells the way back of a reply that has to wait.
    mutating func handle(
        _ message: Span<UInt8>, from origin: QueryOrigin, turn: Turn, output: inout MutableSpan<UInt8>,
        sender: () -> Sender
    ) -> Int {
        var origin = origin
        let ending: Ending?
        switch answer(message, client: origin.client, transport: origin.transport, turn: turn, into: &output) {
        case .reply(let finished):
            ending = finished
        case .silence:
            drop(message, of: origin, .notQuery, turn: turn)
            return 0
        case .miss:
            origin.isAudited = isAudited
            ending = resolve(message, from: origin, turn: turn, output: &output, sender: sender)
        case .unlearned(let hit):
            origin.isAudited = isAudited
            let question = message.extracting(Header.length..<query.question.end)
            ending = learnAndFinish(
                &output, answer: StoredImage(hit), outcome: .hit, question: question, from: origin, turn: turn,
                sender: sender)
        case .popular(let finished):
            ending = finished
            renew(turn: turn)
        }
        guard let ending else { return 0 }
        end(ending, of: origin, reply: output.span.extracting(0..<ending.length), turn: turn)
        return ending.length
    }
}
