import DNSWire
import Testing

@testable import DNSProxy

@Suite struct RecordTextTests {
    @Test(
        arguments: [
            (RecordType.a, [192, 0, 2, 1], "192.0.2.1"),
            (.txt, [2, 0x1B, 0x5B], "\"\\027[\""),
            (.txt, [3, 0xC3, 0xA4, 0x22], "\"\\195\\164\\\"\""),
            (.cname, [1, 0x0A, 0], "\\010."),
            (.cname, [1, 0x09, 1, 0x61, 0], "\\009.a."),
            (.a, [1, 2, 3], "\\# 3 010203"),
            (.a, [], "\\# 0"),
            (RecordType(rawValue: 65_280), [1, 2], "\\# 2 0102"),
            (.mx, [0, 10, 1, 0x61, 0], "10 a."),
        ] as [(RecordType, [UInt8], String)])
    func `data is text that a terminal can show`(_ type: RecordType, _ data: [UInt8], _ expected: String) {
        #expect(RecordText.data(of: type, data) == expected)
    }

    @Test func `no byte of any data reaches a terminal as a control byte`() {
        for type in 0...300 {
            for byte in UInt8.min...UInt8.max {
                let data = [UInt8](repeating: byte, count: Int(byte) % 40)
                let text = RecordText.data(of: RecordType(rawValue: UInt16(type)), data)
                #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) })
            }
        }
    }

    @Test func `names are decompressed from the whole message`() {
        var message = [UInt8](repeating: 0, count: 12) + [1, 0x61, 0, 0, 5, 0, 1]
        let offset = message.count
        message += [0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, 0x62, 0xC0, 12]
        #expect(RecordText.data(of: message.span, recordAt: offset) == "b.a.")
        #expect(RecordText.data(of: message.span, recordAt: message.count) == nil)
        #expect(RecordText.data(of: message.span, recordAt: offset + 1) == nil)
    }
}
