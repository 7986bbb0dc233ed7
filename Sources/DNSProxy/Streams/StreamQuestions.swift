import NIOCore

/// A question on its way to a connection.
struct StreamRequest: Sendable {
    /// What the connection made of it.
    enum Outcome {
        /// It has been dealt with.
        case answer(StreamAnswer)
        /// The connection, which had worked before, ended under it.
        case lost
    }

    /// What is called once, on the connection's event loop.
    typealias Completion = @Sendable (Outcome) -> Void

    /// The message, whose ID the connection replaces.
    let message: [UInt8]
    /// What becomes of it.
    let completion: Completion
}

/// The questions that are under way on one connection, each under an ID of its own.
final class StreamQuestions: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = StreamRequest
    typealias OutboundOut = ByteBuffer

    /// A question under way.
    private struct Question {
        /// The ID that whoever asked expects.
        let id: (UInt8, UInt8)
        /// What becomes of it.
        let completion: StreamRequest.Completion
        /// When it came.
        let asked = NIODeadline.now()
    }

    /// By ID on this connection.
    private var questions: [UInt16: Question] = [:]
    /// When it may be looked again whether somebody has stopped waiting.
    private var nextSweep = NIODeadline.uptimeNanoseconds(0)
    /// Whether the connection has ended.
    private var isOver = false
    /// Whether a response has arrived.
    private var hasWorked = false
    /// What is wrong with the other side's certificate.
    private var problem: StreamTrust.Problem?
    /// Since when questions have been under way and nothing has arrived; nil when none are.
    private var silentSince: NIODeadline?
    /// Whether somebody looks after that.
    private var isWatched = false
    /// Where what is wrong with the connection is told.
    private let onProblem: (StreamTrust.Problem) -> Void
    /// Where messages that answer no question are counted.
    private let onStray: () -> Void
    /// Where the end of the connection is told, before anybody who waits hears of it.
    private let onEnd: () -> Void

    /// Time between two looks at who has stopped waiting.
    private static let sweepInterval = TimeAmount.milliseconds(100)

    /// No questions yet; `onProblem` hears what is wrong with the handshake, `onStray` of messages that answer nothing, `onEnd`
    /// of the end.
    init(
        onProblem: @escaping (StreamTrust.Problem) -> Void, onStray: @escaping () -> Void,
        onEnd: @escaping () -> Void
    ) {
        self.onProblem = onProblem
        self.onStray = onStray
        self.onEnd = onEnd
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let request = unwrapOutboundIn(data)
        // From here on it is the connection's end, and nothing else, that fails the question.
        promise?.succeed()
        guard !isOver else { return request.completion(.lost) }
        if questions.count >= StreamUpstreams.maximumPipelined { dropAbandoned() }
        guard questions.count < StreamUpstreams.maximumPipelined, request.message.count > 2 else {
            request.completion(.answer(.failed))
            return
        }
        var id = UInt16.random(in: .min ... .max)
        while questions[id] != nil { id &+= 1 }
        questions[id] = Question(id: (request.message[0], request.message[1]), completion: request.completion)
        var message = request.message
        message[0] = UInt8(truncatingIfNeeded: id >> 8)
        message[1] = UInt8(truncatingIfNeeded: id)
        if silentSince == nil { silentSince = .now() }
        watch(context)
        context.write(wrapOutboundOut(ByteBuffer(framing: message, allocator: context.channel.allocator)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasWorked = true
        var message = [UInt8](unwrapInboundIn(data).readableBytesView)
        guard message.count > 2,
            let question = questions.removeValue(forKey: UInt16(message[0]) << 8 | UInt16(message[1]))
        else { return onStray() }
        silentSince = questions.isEmpty ? nil : .now()
        (message[0], message[1]) = question.id
        question.completion(.answer(.message(message)))
    }

    func channelInactive(context: ChannelHandlerContext) {
        isOver = true
        onEnd()
        endAll()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            close(context)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if problem == nil, let problem = StreamTrust.Problem(error) {
            self.problem = problem
            onProblem(problem)
        }
        close(context)
    }

    /// Closes the connection, which TLS may take a while for; what is asked next gets a new one.
    private func close(_ context: ChannelHandlerContext) {
        onEnd()
        context.close(promise: nil)
    }

    /// Closes the connection when questions stay without any answer.
    private func watch(_ context: ChannelHandlerContext) {
        guard !isWatched, let silentSince else { return }
        isWatched = true
        context.eventLoop.assumeIsolated().scheduleTask(deadline: silentSince + StreamUpstreams.silenceTimeout) {
            self.isWatched = false
            guard let since = self.silentSince else { return }
            if NIODeadline.now() - since < StreamUpstreams.silenceTimeout {
                self.watch(context)
            } else {
                // Whoever asked has stopped waiting, so nothing of it is asked again.
                self.hasWorked = false
                self.close(context)
            }
        }
    }

    /// Makes room: drops the questions that nobody waits for any more.
    private func dropAbandoned() {
        let now = NIODeadline.now()
        guard now >= nextSweep else { return }
        nextSweep = now + StreamQuestions.sweepInterval
        for (id, question) in questions where now - question.asked >= StreamUpstreams.silenceTimeout {
            questions[id] = nil
            question.completion(.answer(.failed))
        }
    }

    /// Tells everybody who waits that no answer will come.
    private func endAll() {
        let ended = questions
        questions = [:]
        silentSince = nil
        let isTrustMissing = problem?.isAboutTrust ?? false
        let outcome: StreamRequest.Outcome =
            isTrustMissing ? .answer(.untrusted) : hasWorked ? .lost : .answer(.failed)
        for question in ended.values { question.completion(outcome) }
    }
}
