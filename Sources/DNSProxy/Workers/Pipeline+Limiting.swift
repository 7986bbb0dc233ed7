import DNSWire
import FQDNCache
import FQDNPolicy

/// What becomes of queries over UDP of clients that have had their `limits.responsesPerSecond`.
extension Pipeline {
    /// Whether the client at `address` may have another response.
    @inline(never)
    func admits(_ address: IPAddress, turn: Turn) -> Bool {
        turn.shared.responseLimiter?.admits(address, now: turn.now) ?? true
    }

    /// Answers every second query of those that are too many with TC and nothing else, which makes a real client ask over
    /// TCP, while a forged source gets no more bytes than were sent in its name; drops the others. Returns the length of the
    /// reply, or 0.
    @inline(never)
    mutating func limit(
        _ message: Span<UInt8>, of origin: QueryOrigin, turn: Turn, output: inout MutableSpan<UInt8>
    ) -> Int {
        limited &+= 1
        guard limited & 1 == 0, case .accept = query.decode(message, name: &name) else {
            drop(message, of: origin, .rateLimited, turn: turn)
            return 0
        }
        prepareOptions(client: origin.client, transport: origin.transport)
        let question = message.extracting(Header.length..<query.question.end)
        let length = Reply.truncated(
            &output, query: query, options: options, question: question,
            limit: Reply.limit(query, transport: origin.transport))
        counters.overloadedRate += 1
        isAudited = false
        end(
            Ending(length, .overloaded), of: origin, reply: output.span.extracting(0..<length), turn: turn)
        return length
    }
}
