import DNSWire
import Testing

@testable import DNSProxy

/// What flows read out of the bytes that workers keep.
struct FlowMessageTests {
    @Test func `an answer says what was asked and what it has`() throws {
        let answer = FlowEntry.answer
        let message = FlowMessage(answer.span)
        #expect(message.name == (try DomainName("www.shop.example")))
        #expect(message.type == .a && message.responseCode == .noError)
        #expect(message.addresses.map(\.description) == ["192.0.2.10", "192.0.2.11"])
        #expect(message.aliases == [try DomainName("api.shop.example")])
        #expect(message.recordTypes == [.cname, .a])
        #expect(message.ttl == 60)
    }

    @Test func `a refusal says what was asked`() throws {
        let refusal = FlowEntry.refusal
        let message = FlowMessage(refusal.span)
        #expect(message.name == (try DomainName("www.shop.example")))
        #expect(message.responseCode == .refused && message.ttl == nil && message.recordTypes.isEmpty)
    }

    @Test(arguments: [(UInt8(0), 0, "NOERROR"), (1, 0, "BADVERS"), (1, 7, "BADCOOKIE"), (255, 15, "RCODE4095")])
    func `a response code has twelve bits where there is an OPT record`(extended: UInt8, header: UInt8, code: String) {
        var reply = FlowEntry.refusal
        reply[3] = reply[3] & 0xF0 | header
        reply[11] = 1
        let record: [UInt8] = [0, 0, 41, 4, 0xD0, extended, 0, 0, 0, 0, 0]
        #expect(FlowMessage((reply + record).span).responseCode?.description == code)
        // Where it is cut off, what the header has.
        #expect(FlowMessage((reply + record.dropLast()).span).responseCode == ResponseCode(rawValue: UInt16(header)))
    }

    @Test func `a query has no response code`() {
        var query = FlowEntry.refusal
        query[2] = 1
        query[3] = 0
        let message = FlowMessage(query.span)
        #expect(message.responseCode == nil && message.type == .a)
    }

    @Test func `a message may end anywhere, and says what is there`() {
        let answer = FlowEntry.answer
        let whole = FlowMessage(answer.span)
        for count in answer.indices {
            let message = FlowMessage(answer.span.extracting(0..<count))
            #expect(message.name == nil || message.name == whole.name)
            #expect(whole.addresses.starts(with: message.addresses))
            #expect(whole.aliases.starts(with: message.aliases))
        }
    }

    @Test func `any bytes are read without harm`() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            var bytes = FlowEntry.answer
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            _ = FlowMessage(bytes.span)
        }
    }
}
