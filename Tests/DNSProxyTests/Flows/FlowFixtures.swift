import DNSWire
import FQDNCache
import FQDNPolicy

@testable import DNSProxy

extension FlowEntry {
    /// The answer to `www.shop.example A`: an alias and two addresses.
    static let answer: [UInt8] =
        header(code: 0, answers: 3) + question
        + [0xC0, 12, 0, 5, 0, 1, 0, 0, 1, 0x2C, 0, 6, 3] + "api".utf8 + [0xC0, 16]
        + [0xC0, 46, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 10]
        + [0xC0, 46, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 11]

    /// The refusal of the same question.
    static let refusal = header(code: 5, answers: 0) + question

    /// A header of a response with this code and so many answers.
    private static func header(code: UInt8, answers: UInt8) -> [UInt8] {
        [0x12, 0x34, 0x81, 0x80 | code, 0, 1, 0, answers, 0, 0, 0, 0]
    }

    /// The question for `www.shop.example A`; its parent is at offset 16.
    private static let question: [UInt8] =
        [3] + "www".utf8 + [4] + "shop".utf8 + [7] + "example".utf8 + [0, 0, 1, 0, 1]

    /// A query of 10.244.1.17 that ended as `outcome` with `message`.
    init(_ outcome: QueryOutcome, _ message: [UInt8] = FlowEntry.answer, identity: UInt64 = 7) {
        self.init()
        client = IPAddress(ipv4: 0x0AF4_0111)
        port = 4_096
        self.outcome = outcome
        self.identity = IdentityID(rawValue: identity)
        generation = 1
        arrived = Moment(seconds: 100)
        total = 1_500_000
        length = UInt16(message.count)
        for index in 0..<min(message.count, FlowEntry.capacity) { self.message[index] = message[index] }
    }
}

extension FlowRing {
    /// Adds `entries`.
    func append(_ entries: [FlowEntry], leftOut: UInt64 = 0) { append(entries.span, leftOut: leftOut) }
}
