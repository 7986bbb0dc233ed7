import DNSWire
import FQDNCache
import Testing

@Suite struct TTLPolicyTests {
    /// A TTL from the wire and what becomes of it.
    struct Case: Sendable {
        var ttl: UInt32
        var kind = AnswerKind.positive
        var expected: UInt32
    }

    static let cases = [
        Case(ttl: 0, expected: 0),
        Case(ttl: 1, expected: 10),
        Case(ttl: 10, expected: 10),
        Case(ttl: 500, expected: 500),
        Case(ttl: 1_000, expected: 1_000),
        Case(ttl: 1_001, expected: 1_000),
        Case(ttl: 0x7FFF_FFFF, expected: 1_000),
        Case(ttl: 0x8000_0000, expected: 0),
        Case(ttl: 0xFFFF_FFFF, expected: 0),
        Case(ttl: 500, kind: .noData, expected: 100),
        Case(ttl: 500, kind: .nameError, expected: 100),
        Case(ttl: 1, kind: .nameError, expected: 10),
        Case(ttl: 500, kind: .local, expected: 500),
    ]

    @Test(arguments: cases) func `bounds every TTL, and never makes something of nothing`(_ test: Case) throws {
        let policy = TTLPolicy(minTTL: 10, maxTTL: 1_000, negativeMaxTTL: 100)
        #expect(policy.effective(test.ttl, kind: test.kind) == test.expected)

        let message = Message(try DomainName("a.example"), ttls: [700, test.ttl])
        var bytes = message.bytes
        var image = bytes.mutableSpan
        let lifetime = policy.apply(to: &image, ttlOffsets: message.ttlOffsets.span, kind: test.kind)
        #expect(message.ttls(in: bytes) == [policy.effective(700, kind: test.kind), test.expected])
        #expect(lifetime == min(policy.effective(700, kind: test.kind), test.expected))
    }

    @Test(arguments: [(UInt32(40), UInt32(40)), (90, 60), (0, 0), (0x8000_0001, 0), (3, 10), (.max, 60)])
    func `cuts a negative answer to the MINIMUM of its SOA`(minimum: UInt32, expected: UInt32) throws {
        let policy = TTLPolicy(minTTL: 10, negativeMaxTTL: 100)
        let message = Message(try DomainName("a.example"), ttls: [60])
        var bytes = message.bytes
        var image = bytes.mutableSpan
        let lifetime = policy.apply(
            to: &image, ttlOffsets: message.ttlOffsets.span, kind: .nameError, negativeTTL: minimum)
        #expect(lifetime == expected)
        #expect(message.ttls(in: bytes) == [expected])
    }

    @Test func `without a TTL, or with one outside of the message, there is nothing to keep`() throws {
        let message = Message(try DomainName("a.example"), ttls: [60])
        var bytes = message.bytes
        var image = bytes.mutableSpan
        let none: [UInt16] = []
        #expect(TTLPolicy().apply(to: &image, ttlOffsets: none.span, kind: .positive) == 0)
        let outside = [message.ttlOffsets[0], UInt16(message.bytes.count - 3)]
        #expect(TTLPolicy().apply(to: &image, ttlOffsets: outside.span, kind: .positive) == 0)
        #expect(bytes == message.bytes)
    }
}
