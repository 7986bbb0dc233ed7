import DNSWire
import Testing

@Suite struct CursorTests {
    @Test func `after its first failure a cursor stops for good`() {
        let bytes: [UInt8] = [1, 2, 3, 4, 5]
        var cursor = MessageCursor(offset: 0)
        #expect(cursor.readUInt16(bytes.span) == 0x0102)
        #expect(cursor.readUInt32(bytes.span) == 0)
        #expect(cursor.failure == .truncated)
        #expect(cursor.offset == 2)
        #expect(cursor.readUInt8(bytes.span) == 0)
        #expect(cursor.offset == 2)
        cursor.fail(.noRoom)
        #expect(cursor.failure == .truncated)
    }

    @Test func `offsets and counts out of bounds are failures, not crashes`() {
        let bytes: [UInt8] = [1, 2, 3]
        for (offset, count) in [(0, -1), (3, 1), (4, 0), (1_000_000, 1), (0, Int.max), (2, Int.max)] {
            var cursor = MessageCursor(offset: offset)
            let start = cursor.skip(count, of: bytes.span)
            #expect(start == nil)
            #expect(cursor.failure == .truncated)
        }
    }

    @Test func `a record says where its parts are`() throws {
        var message = WireMessage(question: "www.example.")
        let data = message.add(.answer, pointer(12), .mx, ttl: 0x8000_0000, [0, 10] + pointer(16))
        var cursor = MessageCursor()
        var owner = NameBuffer()
        let question = cursor.readQuestion(message.bytes.span, into: &owner)
        #expect(question == Question(type: .a, recordClass: .in, end: 29))
        let record = cursor.readRecord(message.bytes.span, owner: &owner)
        #expect(owner.domainName == name("www.example."))
        #expect(record.ownerOffset == 29)
        #expect(record.type == .mx && record.recordClass == .in)
        #expect(record.ttlOffset == 35)
        #expect(record.rawTTL == 0x8000_0000 && record.ttl == 0)
        #expect(record.dataOffset == data && record.dataLength == 4 && record.end == message.bytes.count)
        #expect(cursor.offset == message.bytes.count && cursor.failure == nil)
    }

    @Test func `a record that is cut anywhere is truncated`() {
        var message = WireMessage(question: nil)
        message.add(.answer, wire("www.example."), .a, [192, 0, 2, 1])
        for length in 12..<message.bytes.count {
            var cursor = MessageCursor()
            var owner = NameBuffer()
            let record = cursor.readRecord(Array(message.bytes[..<length]).span, owner: &owner)
            #expect(cursor.failure == .truncated)
            #expect(record.dataLength == 0)
        }
    }

    @Test func `the first question has nothing to point at`() {
        let message = WireMessage(question: nil).bytes + pointer(12) + [0, 1, 0, 1]
        var cursor = MessageCursor()
        var owner = NameBuffer()
        _ = cursor.readQuestion(message.span, into: &owner)
        #expect(cursor.failure == .badPointer)
    }
}
