import DNSWire
import Testing

/// What holds for every message, shown on messages of every type of record with random compression.
@Suite struct PropertyTests {
    /// Messages for each property.
    static let rounds = 1_500

    /// A message read and written anew; nil, and an issue, when one of the two fails.
    private func rewritten(_ message: [UInt8]) -> [UInt8]? {
        guard case .success(let parsed) = WholeMessage.read(message) else {
            Issue.record("a generated message is not read: \(message)")
            return nil
        }
        let bytes = WholeMessage.rewrite(parsed, of: message)
        if bytes.isEmpty { Issue.record("a message that was read does not fit: \(message)") }
        return bytes.isEmpty ? nil : bytes
    }

    @Test func `what is encoded decodes to what it was`() throws {
        var generator = MessageGenerator(seed: 0xE4C0)
        for _ in 0..<PropertyTests.rounds {
            let message = generator.message()
            let again = try #require(rewritten(message))
            guard case .success(let before) = WholeMessage.read(message),
                case .success(let after) = WholeMessage.read(again)
            else {
                Issue.record("not read: \(again)")
                continue
            }
            #expect(after.header == before.header && after.end == again.count)
            #expect(after.questions.map(\.owner) == before.questions.map(\.owner))
            for (left, right) in zip(after.sections.joined(), before.sections.joined()) {
                #expect(left.parts.owner == right.parts.owner && left.view.type == right.view.type)
                #expect(left.view.rawTTL == right.view.rawTTL && left.view.recordClass == right.view.recordClass)
                // A pointer may lead to another spelling of the same name.
                #expect(left.parts.data.map(lower) == right.parts.data.map(lower), "\(left.view.type)")
            }
        }
    }

    @Test func `encoding what was encoded changes nothing`() throws {
        var generator = MessageGenerator(seed: 0x1DE4)
        for _ in 0..<PropertyTests.rounds {
            let first = try #require(rewritten(generator.message()))
            #expect(try #require(rewritten(first)) == first)
        }
    }

    @Test func `compression never makes a message longer than it is without, and usually shorter`() throws {
        var generator = MessageGenerator(seed: 0xC0FF)
        var shorter = 0
        for _ in 0..<PropertyTests.rounds {
            let message = generator.message()
            guard case .success(let parsed) = WholeMessage.read(message) else {
                Issue.record("a generated message is not read: \(message)")
                continue
            }
            let plain =
                Header.length + parsed.questions.reduce(0) { $0 + $1.owner.count + 4 }
                + parsed.sections.joined().reduce(0) { $0 + $1.parts.owner.count + 10 + $1.parts.data.count }
            let compressed = WholeMessage.rewrite(parsed, of: message)
            #expect(compressed.count <= plain)
            if compressed.count < plain { shorter += 1 }
        }
        #expect(shorter > PropertyTests.rounds / 2)
    }

    @Test func `a message that ends anywhere before its end is refused`() {
        var generator = MessageGenerator(seed: 0x7A11)
        for _ in 0..<60 {
            let message = generator.message()
            for length in 0..<message.count {
                if case .success = WholeMessage.read(Array(message[..<length])) {
                    Issue.record("cut at \(length): \(message)")
                }
            }
        }
    }

    @Test func `a byte changed in a message changes what it says`() {
        var generator = MessageGenerator(seed: 0xB17E)
        for _ in 0..<200 {
            let message = generator.message()
            guard case .success(let before) = WholeMessage.read(message) else { continue }
            var other = message
            let place = Int.random(in: 0..<message.count, using: &generator.random)
            other[place] ^= 0x81
            guard case .success(let after) = WholeMessage.read(other) else { continue }
            let same =
                before.header == after.header && before.questions == after.questions
                && before.sections.map { $0.map(\.parts) } == after.sections.map { $0.map(\.parts) }
            // Only a pointer can lead to the same name from another place.
            if same, message[place] < 0xC0, place > 0, message[place - 1] < 0xC0 {
                Issue.record("byte \(place) of \(message) says nothing")
            }
        }
    }

    /// ASCII lower case.
    private func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
