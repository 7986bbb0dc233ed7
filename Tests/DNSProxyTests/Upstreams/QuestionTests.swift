import DNSWire
import Testing

@testable import DNSProxy

/// What of a question an answer has to repeat, and how long one is waited for.
struct QuestionTests {
    /// A query for `www.example` with an OPT record.
    private static let sent: [UInt8] =
        [0, 0, 1, 0x20, 0, 1, 0, 0, 0, 0, 0, 1, 3] + Array("www".utf8) + [7] + Array("example".utf8)
        + [0, 0, 1, 0, 1] + [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
    /// Behind its question.
    private static let end = 29

    /// How `response` compares with what was sent as `mask` says.
    private func compare(_ response: [UInt8], _ mask: CaseMask = .none) -> QuestionEcho {
        QuestionEcho.compare(response.span, with: QuestionTests.sent, end: QuestionTests.end, mask: mask)
    }

    @Test func `a question comes back byte for byte, or in another case, or is another one`() {
        let sent = QuestionTests.sent
        #expect(compare(sent) == .exact)
        var other = sent
        other[13] ^= 0x20
        #expect(compare(other) == .otherCase)
        for index in 12..<QuestionTests.end {
            var wrong = sent
            wrong[index] ^= 0x40
            #expect(compare(wrong) == .none, "byte \(index)")
        }
        // Bits that make the case of a letter are not one in a length, a type or a class.
        for index in [12, 16, 24, 25, 26, 27, 28] {
            var wrong = sent
            wrong[index] ^= 0x20
            #expect(compare(wrong) == .none, "byte \(index)")
        }
        for length in 0..<QuestionTests.end { #expect(compare(Array(sent.prefix(length))) == .none) }
        var two = sent
        two[5] = 2
        #expect(compare(two) == .none)
    }

    @Test func `a random case is the case that has to come back`() {
        var letters = 0
        for _ in 0..<64 {
            let mask = CaseMask.random(length: 13)
            var message = QuestionTests.sent
            var span = message.mutableSpan
            mask.apply(to: &span, length: 13)
            letters += (0..<13).count { message[12 + $0] != QuestionTests.sent[12 + $0] }
            #expect(compare(message, mask) == .exact)
            // Nothing but letters has changed.
            #expect(message.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 } == QuestionTests.sent)
            guard message != QuestionTests.sent else { continue }
            #expect(compare(QuestionTests.sent, mask) == .otherCase)
        }
        // Ten letters, each with a chance of one half, 64 times: 320, give or take 13.
        #expect((220..<420).contains(letters), "\(letters)")
    }

    @Test func `the longest name has a case for each of its letters`() {
        var bits = 0
        for _ in 0..<64 {
            let mask = CaseMask.random(length: 255)
            // The byte before the last one of the last eight.
            let sent = mask.apply(0x6161_6161_6161_6161, at: 248)
            if UInt8(truncatingIfNeeded: sent >> 48) == UInt8(ascii: "A") { bits += 1 }
        }
        #expect((8..<56).contains(bits))
    }

    @Test func `patience follows the usual time within its bounds`() {
        var trip = RoundTrip()
        #expect(trip.patience == 400_000_000)
        for _ in 0..<50 { trip.add(1_000_000) }
        #expect(trip.patience == 20_000_000)
        for _ in 0..<50 { trip.add(60_000_000) }
        #expect((60_000_000...70_000_000).contains(trip.patience), "\(trip.patience)")
        // One that is sometimes slow is waited for longer than its usual time.
        for round in 0..<50 { trip.add(round % 2 == 0 ? 10_000_000 : 110_000_000) }
        #expect((150_000_000...400_000_000).contains(trip.patience), "\(trip.patience)")
        trip.add(.max)
        trip.add(.min)
        #expect(trip.patience == 400_000_000)
    }

    @Test func `second questions are an eighth of the exchanges, and no more than 64 at once`() {
        var budget = RaceBudget()
        var spent = 0
        while budget.spend() { spent += 1 }
        #expect(spent == 64)
        for _ in 0..<80 { budget.earn() }
        for _ in 0..<10 { holds(budget.spend()) }
        holds(!budget.spend())
        for _ in 0..<100_000 { budget.earn() }
        spent = 0
        while budget.spend() { spent += 1 }
        #expect(spent == 64)
    }

    @Test func `padded queries are multiples of 128 bytes that end in a padding option`() {
        for extra in 0..<200 {
            var query = QuestionTests.sent
            query.insert(contentsOf: [UInt8](repeating: 7, count: extra), at: 12)
            let padded = StreamPadding.padded(query)
            #expect(padded.count % 128 == 0 && padded.count >= query.count + 4 && padded.count < query.count + 132)
            #expect(padded.prefix(query.count - 2) == query.dropLast(2))
            let length = Int(padded[query.count - 2]) << 8 | Int(padded[query.count - 1])
            #expect(length == padded.count - query.count)
            #expect(Int(padded[query.count + 2]) << 8 | Int(padded[query.count + 3]) == length - 4)
            #expect(padded[query.count + 1] == 12)
        }
        var plain = Array(QuestionTests.sent.prefix(QuestionTests.end))
        plain[11] = 0
        #expect(StreamPadding.padded(plain) == plain)
    }
}
