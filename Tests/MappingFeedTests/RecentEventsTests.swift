import NIOCore
import Testing

@testable import MappingFeed

struct RecentEventsTests {
    /// Three batches of two events of ten bytes each, numbered 101 to 106.
    private func filled(maxEvents: Int = 100, maxBytes: Int = 1000) -> RecentEvents {
        var recent = RecentEvents(last: 100, maxEvents: maxEvents, maxBytes: maxBytes)
        for batch in 0..<3 {
            let text = (1...2).map { "event \(101 + 2 * batch + $0 - 1)\n" }.joined()
            var index = EventIndex()
            index.append(.upsert(upsert(1)), end: 10)
            index.append(.upsert(upsert(2)), end: 20)
            recent.append(ByteBuffer(string: text), index)
        }
        return recent
    }

    @Test(
        arguments: [
            (99, nil, nil), (100, "event 101\nevent 102\n", 102), (101, "event 102\n", 102),
            (102, "event 103\nevent 104\n", 104),
            (105, "event 106\n", 106), (106, nil, nil), (107, nil, nil), (.max, nil, nil),
        ] as [(UInt64, String?, UInt64?)])
    func `a reader gets what is behind its place, a batch at a time`(place: UInt64, text: String?, last: UInt64?) {
        let lines = filled().lines(after: place)
        #expect(lines.map { String(buffer: $0.bytes) } == text)
        #expect(lines?.last == last)
    }

    @Test func `how far a reader is behind is known to the byte`() {
        let recent = filled()
        #expect([100, 101, 104, 106, 200].map { recent.bytesBehind($0) } == [60, 50, 20, 0, 0])
        #expect(recent.bytesBehind(99) == nil)
    }

    @Test(arguments: [(4, 1000), (5, 1000), (100, 40), (100, 59)])
    func `the oldest batches make room`(maxEvents: Int, maxBytes: Int) {
        let recent = filled(maxEvents: maxEvents, maxBytes: maxBytes)
        #expect(recent.last == 106)
        #expect(!recent.canResume(after: 101))
        #expect(recent.canResume(after: 102))
        #expect(recent.bytesBehind(101) == nil)
        #expect(recent.bytesBehind(102) == 40)
    }

    @Test func `the newest batch stays, however large`() {
        let recent = filled(maxEvents: 1, maxBytes: 1)
        #expect(recent.lines(after: 104)?.last == 106)
        #expect(!recent.canResume(after: 103))
    }
}
