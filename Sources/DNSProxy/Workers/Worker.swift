import BasicContainers
import CLinux
import DNSWire
import FQDNCache
import FQDNPolicy
import Glibc
import Synchronization

/// One thread that answers queries: an epoll loop over its own sockets, its own memory of recent decisions, and its
/// own exchanges with upstreams. It shares nothing with other workers but what `EngineShared` holds.
///
/// Sendable, unchecked, because it moves once, from where it is made to its thread, and has one owner at any time.
struct Worker: ~Copyable, @unchecked Sendable {
    /// What it decides and remembers.
    private var pipeline: Pipeline
    /// The ways out.
    private var listeners: Listeners
    /// Room for one batch of queries.
    private var queries = DatagramBuffers(count: 64, payloadSize: 4_096)
    /// Room for one batch of upstream answers.
    private var answers = DatagramBuffers(count: 32, payloadSize: 4_096)
    /// Letters that were taken from the mailbox.
    private var letters: [Mailbox.Letter] = []
    /// How many of them were read.
    private var lettersRead = 0

    /// Letters that are read in a turn: what comes over connections must not keep datagrams waiting.
    private static let lettersPerTurn = 256
    /// Where the engine sees how it does.
    private let status: WorkerStatus
    /// When it ends at the latest; nil while it takes queries.
    private var end: Moment?

    /// The worker with this number, which answers at `sockets`.
    /// - Throws: `SystemError` when the kernel refuses to watch a socket.
    init(
        _ number: Int, shared: EngineShared, sockets: consuming RigidArray<DatagramSocket>,
        streams: any StreamReplies, status: WorkerStatus
    ) throws(SystemError) {
        let epoll = try Epoll()
        try epoll.add(status.mailbox.descriptor, token: Token.ofMailbox)
        for index in sockets.indices {
            try epoll.add(
                sockets[index].descriptor.rawValue, token: Token.ofListener(index), isShared: sockets[index].isShared)
        }
        pipeline = Pipeline(shared: shared, number: number, epoll: epoll)
        listeners = Listeners(sockets: sockets, streams: streams)
        self.status = status
    }

    /// Works until it is told to stop and nothing is in flight any more, or its time is over. Returns the queries that have no
    /// answer then.
    mutating func run() -> [LeftQuery] {
        let shared = pipeline.shared
        var turn = Pipeline.Turn(
            shared: shared, snapshot: shared.snapshots.load(), epoch: 0, now: SystemClock.now())
        while true {
            let ready = pipeline.epoll.wait(milliseconds: patience)
            // First: what is taken away from here on makes this turn's memories void, never the other way round.
            let learned = shared.learning.epoch
            turn.now = SystemClock.now()
            if turn.snapshot.generation != shared.snapshots.generation {
                shared.retire(turn.snapshot)
                turn.snapshot = shared.snapshots.load()
            }
            // Of this snapshot and no other: memories have indices of its identities.
            turn.epoch = turn.snapshot.generation &+ learned
            pipeline.flows.beginTurn()
            pipeline.adoptRoutes()
            pipeline.adoptCookies()
            var hasLetters = lettersRead < letters.count
            for index in 0..<ready {
                switch Token(pipeline.epoll.token(at: index)) {
                case .listener(let socket) where end == nil: takeQueries(socket, turn: turn)
                case .listener: break
                case .upstream(let socket): takeAnswers(socket, turn: turn)
                case .mailbox: hasLetters = true
                }
            }
            if hasLetters { takeLetters(turn: turn) }
            pipeline.expireAttempts(turn: turn, listeners: &listeners)
            if !pipeline.shed.isEmpty { pipeline.answerShed(turn: turn, listeners: &listeners) }
            pipeline.publishLearned()
            if !pipeline.holds.isEmpty { pipeline.releaseHolds(turn: turn, listeners: &listeners) }
            listeners.flush()
            if listeners.areFlooded { watchFloods(now: turn.now) }
            (pipeline.counters.receiveDrops, pipeline.counters.floods) = listeners.floodCounts
            if !pipeline.seen.isEmpty {
                shared.seenNames.note(pipeline.seen)
                pipeline.seen.removeAll(keepingCapacity: true)
            }
            pipeline.counters.repliesUnsent = listeners.sendFailures
            pipeline.endTurn(startedAt: turn.now)
            show()
            if let end, pipeline.isIdle && letters.isEmpty || turn.now >= end {
                pipeline.endHolds(turn: turn, listeners: &listeners)
                listeners.flush()
                return pipeline.takeLeftQueries(listeners)
            }
        }
    }

    /// Shows how it does.
    private mutating func show() {
        status.show(
            pipeline.counters, durations: pipeline.hasNewDurations ? pipeline.durations : nil,
            waiting: WorkerStatus.Waiting(
                exchanges: pipeline.exchanges.count, clients: pipeline.exchanges.waiterCount,
                holds: pipeline.holds.count),
            steeredTaken: pipeline.steeredTaken)
        pipeline.hasNewDurations = false
    }

    /// Milliseconds until something has to be done at the latest, -1 for never.
    private var patience: Int32 {
        var next = Moment.distantFuture
        if let deadline = pipeline.exchanges.nextDeadline { next = min(next, deadline) }
        if let deadline = pipeline.holds.nextDeadline { next = min(next, deadline) }
        if !letters.isEmpty { return 0 }
        if listeners.areFlooded { next = min(next, SystemClock.now().adding(nanoseconds: FloodFilter.interval)) }
        if let end { next = min(next, end) }
        guard next != .distantFuture else { return -1 }
        // What was released between the last look and this one must not be slept over.
        if !pipeline.holds.isEmpty {
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            if pipeline.holds.isReleasable(pipeline.shared.learning.released) { return 0 }
        }
        let nanoseconds = next.nanoseconds(since: SystemClock.now())
        return nanoseconds <= 0 ? 0 : Int32(min((nanoseconds + 999_999) / 1_000_000, 60_000))
    }

    /// Takes a batch of queries from the listening socket at `index`.
    private mutating func takeQueries(_ index: Int, turn: Pipeline.Turn) {
        let received = queries.receive(
            from: listeners.sockets[index].descriptor.rawValue,
            wantsLocalAddress: listeners.sockets[index].wantsLocalAddress)
        if received == queries.count, watchesFloods(of: index) {
            listeners.sockets[index].watchFlood(queries, isFull: true, now: turn.now)
        }
        for number in 0..<max(0, received) {
            Worker.serve(
                number, of: queries, socket: &listeners.sockets[index], index: index, pipeline: &pipeline, turn: turn)
        }
    }

    /// Whether this worker looks after floods of the listening socket at `index`: one of those that share it does.
    private func watchesFloods(of index: Int) -> Bool { !listeners.sockets[index].isShared || pipeline.number == 0 }

    /// Looks how those do who have flooded, whether anything has come or not.
    private mutating func watchFloods(now: Moment) {
        for index in listeners.sockets.indices where listeners.sockets[index].flood.isActive {
            listeners.sockets[index].watchFlood(queries, isFull: false, now: now)
        }
    }

    /// Answers one datagram of a batch, or leaves it with the pipeline.
    @inline(__always)
    private static func serve(
        _ number: Int, of queries: borrowing DatagramBuffers, socket: inout DatagramSocket, index: Int,
        pipeline: inout Pipeline, turn: Pipeline.Turn
    ) {
        pipeline.counters.queriesUDP += 1
        let client = queries.client(number)
        socket.flood.see(client.address, now: turn.now)
        let origin = QueryOrigin(client: client.address, port: client.port, transport: .udp, arrived: turn.now)
        let isAllowed = client.port != 0 && pipeline.shared.takesQueries(from: client.address)
        if !isAllowed || pipeline.sources.isDoubtful(client.address, port: client.port),
            let reason = pipeline.sources.reason(
                client.address, port: client.port, isAllowed: isAllowed, now: turn.now)
        {
            queries.withPayload(number, length: queries.length(number) ?? queries.payloadSize) { message in
                pipeline.drop(message, of: origin, reason, turn: turn)
            }
            return
        }
        guard let length = queries.length(number) else {
            queries.withPayload(number, length: queries.payloadSize) { message in
                pipeline.drop(message, of: origin, .oversized, turn: turn)
            }
            return
        }
        if pipeline.limitsResponses, !pipeline.admits(client.address, turn: turn) {
            socket.reply(to: queries, number) { output in
                queries.withPayload(number, length: length) { message in
                    pipeline.limit(message, of: origin, turn: turn, output: &output)
                }
            }
            return
        }
        socket.reply(to: queries, number) { output in
            queries.withPayload(number, length: length) { message in
                pipeline.handle(
                    message, from: origin, turn: turn, output: &output,
                    sender: { queries.sender(number, socket: index) })
            }
        }
    }

    /// Takes a batch of answers from the upstream socket at `index`.
    private mutating func takeAnswers(_ index: Int, turn: Pipeline.Turn) {
        let fd = pipeline.upstreams.fd(index)
        guard fd >= 0 else { return }
        let received = answers.receive(from: fd, wantsLocalAddress: false)
        if received == -ECONNREFUSED || received == -EHOSTUNREACH || received == -ENETUNREACH {
            pipeline.refuse(socket: index, turn: turn, listeners: &listeners)
        }
        for number in 0..<max(0, received) {
            guard let length = answers.length(number) else {
                pipeline.counters.upstreamMismatches += 1
                continue
            }
            Worker.accept(
                number, length: length, of: answers, socket: index, pipeline: &pipeline, listeners: &listeners,
                turn: turn)
        }
    }

    /// Hands one datagram of an upstream to the pipeline.
    private static func accept(
        _ number: Int, length: Int, of answers: borrowing DatagramBuffers, socket: Int, pipeline: inout Pipeline,
        listeners: inout Listeners, turn: Pipeline.Turn
    ) {
        answers.withPayload(number, length: length) { message in
            pipeline.receive(message, socket: socket, turn: turn, listeners: &listeners)
        }
    }

    /// Does what some of the letters in the mailbox ask for, the oldest first.
    private mutating func takeLetters(turn: Pipeline.Turn) {
        var letters = self.letters
        self.letters = []
        if letters.isEmpty { status.mailbox.drain(into: &letters) }
        let last = min(lettersRead + Worker.lettersPerTurn, letters.count)
        for index in lettersRead..<last { read(letters[index], turn: turn) }
        lettersRead = last
        if last == letters.count {
            letters.removeAll(keepingCapacity: true)
            lettersRead = 0
        }
        self.letters = letters
    }

    /// Does what a letter asks for.
    private mutating func read(_ letter: Mailbox.Letter, turn: Pipeline.Turn) {
        switch letter {
        case .query(let connection, let client, let message):
            pipeline.counters.queriesTCP += 1
            let origin = QueryOrigin(client: client.address, port: client.port, transport: .tcp, arrived: turn.now)
            guard pipeline.shared.takesQueries(from: client.address) else {
                return pipeline.drop(message.span, of: origin, .notAllowed, turn: turn)
            }
            Worker.serve(
                message, from: origin, sender: Sender(connection: connection), pipeline: &pipeline,
                listeners: &listeners, turn: turn)
        case .steered(let sender, let origin, let message):
            pipeline.steeredTaken += 1
            Worker.serveSteered(
                message, from: origin, sender: sender, pipeline: &pipeline, listeners: &listeners, turn: turn)
        case .upstreamAnswer(let exchange, let answer):
            pipeline.receive(answer, for: exchange, turn: turn, listeners: &listeners)
        case .left(let query):
            guard let socket = listeners.index(of: query.listener) else { return }
            pipeline.counters.queriesUDP += 1
            let origin = QueryOrigin(
                client: query.client.address, port: query.client.port, transport: .udp, arrived: turn.now)
            Worker.serve(
                query.message, from: origin, sender: query.sender(socket: socket), pipeline: &pipeline,
                listeners: &listeners, turn: turn)
        case .stop(let moment):
            end = moment
            for index in listeners.sockets.indices {
                pipeline.epoll.remove(listeners.sockets[index].descriptor.rawValue)
                listeners.sockets[index].endFlood()
            }
        }
    }

    /// Answers one query that another worker has passed on, or leaves it with the pipeline.
    private static func serveSteered(
        _ message: [UInt8], from origin: QueryOrigin, sender: Sender, pipeline: inout Pipeline,
        listeners: inout Listeners, turn: Pipeline.Turn
    ) {
        listeners.reply(to: sender) { output in
            pipeline.handleSteered(
                message.span, from: origin, turn: turn, output: &output, sender: { sender })
        }
    }

    /// Answers one query that did not come in a batch of datagrams, or leaves it with the pipeline.
    private static func serve(
        _ message: [UInt8], from origin: QueryOrigin, sender: Sender, pipeline: inout Pipeline,
        listeners: inout Listeners, turn: Pipeline.Turn
    ) {
        listeners.reply(to: sender) { output in
            pipeline.handle(message.span, from: origin, turn: turn, output: &output, sender: { sender })
        }
    }
}
