import DNSWire
import Testing

/// What a response may cost us, however large and however made.
@Suite struct ScrubberCostTests {
    /// Hostile responses that are as large as can be, each expensive in its own way.
    static func large(_ kind: String, records: Int) -> (message: [UInt8], type: RecordType) {
        let deep = String(repeating: "a.", count: 100) + "example."
        var message = WireMessage(question: deep, type: kind == "names" ? .ns : kind == "texts" ? .txt : .a)
        for index in 0..<records {
            let label: [UInt8] = [2, UInt8(index & 0xFF), UInt8(index >> 8)]
            switch kind {
            case "owners": message.add(.answer, label + pointer(12), .a, [192, 0, 2, 1])
            case "same": message.add(.answer, pointer(12), .a, [192, 0, UInt8(index >> 8), UInt8(index & 0xFF)])
            case "names": message.add(.answer, pointer(12), .ns, label + pointer(12))
            case "texts": message.add(.answer, pointer(12), .txt, label)
            case "dnames": message.add(.answer, label + pointer(12), .dname, pointer(12))
            case "soas": message.add(.authority, label + pointer(12), .soa, [UInt8](repeating: 0, count: 22))
            default: message.add(.answer, label + [0], .cname, [2, label[1] &+ 1, label[2], 0])
            }
        }
        return (message.bytes, kind == "names" ? .ns : kind == "texts" ? .txt : .a)
    }

    @Test(arguments: [
        ("same", ScrubOutcome.answer), ("texts", .answer), ("aliases", .noData), ("owners", .noData),
        ("names", .answer), ("dnames", .noData), ("soas", .noData),
    ])
    func `the work is linear in the size of a response`(_ kind: String, _ outcome: ScrubOutcome) {
        let question = String(repeating: "a.", count: 100) + "example."
        let small = ScrubberCostTests.large(kind, records: 50)
        let large = ScrubberCostTests.large(kind, records: 400)
        let few = scrub(small.message, question: question, type: small.type).result
        let many = scrub(large.message, question: question, type: large.type).result
        #expect(few.outcome == outcome)
        #expect(many.outcome == outcome)
        #expect(few.steps >= 50)
        #expect(many.steps >= 400)
        #expect(many.steps <= few.steps * 9, "8 times the records, about 8 times the work")
    }

    @Test(arguments: ["owners", "names", "dnames", "soas"])
    func `a response that makes too much work is given up`(_ kind: String) {
        let question = String(repeating: "a.", count: 100) + "example."
        let large = ScrubberCostTests.large(kind, records: 3000)
        let result = scrub(large.message, question: question, type: large.type).result
        #expect(result.outcome == .malformed(.tooMuchWork))
        #expect(result.steps <= AnswerScrubber.workLimit + 1_000)
    }

    @Test func `the largest honest response makes little work`() {
        let question = String(repeating: "a.", count: 100) + "example."
        let large = ScrubberCostTests.large("same", records: 4000)
        let scrubbed = scrub(large.message, question: question, type: .a)
        #expect(scrubbed.result.outcome == .answer)
        #expect(scrubbed.addresses.count == 4000)
        #expect(scrubbed.result.steps <= large.message.count)
    }

    @Test func `65,535 bytes of text`() throws {
        var message = WireMessage(question: "www.example.", type: .txt)
        var index = 0
        while message.bytes.count + 12 + 256 <= 65_535 {
            message.add(.answer, pointer(12), .txt, [255] + (0..<255).map { UInt8(truncatingIfNeeded: $0 &+ index) })
            index += 1
        }
        let scrubbed = scrub(message.bytes, question: "www.example.", type: .txt)
        #expect(scrubbed.result.outcome == .answer && scrubbed.result.dropped == 0)
        // All but ID and flags, which are the client's, comes back byte for byte.
        let isSame = scrubbed.image.dropFirst(4) == message.bytes.dropFirst(4)
        #expect(isSame)
        #expect(scrubbed.result.steps <= AnswerScrubber.workLimit)
    }
}
