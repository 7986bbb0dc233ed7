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

    /// Events one by one, of some sizes, now and then one that is longer than what is gathered; with the text of each.
    private func single(_ count: Int) -> (recent: RecentEvents, texts: [String]) {
        var recent = RecentEvents(last: 0, maxEvents: count, maxBytes: 1 << 30)
        var texts: [String] = []
        for number in 1...count {
            let length = number % 500 == 0 ? 70_000 : number % 200 == 0 ? 40_000 : 200 + number % 100
            texts.append("\(number)" + String(repeating: ".", count: length) + "\n")
            var index = EventIndex()
            if number % 50 == 0 {
                let identity = FeedIdentity(id: UInt64(number), name: "\(number)", namespace: "default")
                index.append(.identity(identity), end: texts[number - 1].utf8.count)
            } else {
                index.append(.upsert(upsert(UInt64(number))), end: texts[number - 1].utf8.count)
            }
            recent.append(ByteBuffer(string: texts[number - 1]), index)
        }
        return (recent, texts)
    }

    @Test func `events that came one by one are gathered, and nothing else changes`() {
        let (recent, texts) = single(2_000)
        var behind = texts.reduce(0) { $0 + $1.utf8.count }
        for place in 0..<2_000 {
            #expect(recent.bytesBehind(UInt64(place)) == behind)
            behind -= texts[place].utf8.count
            let lines = recent.lines(after: UInt64(place))
            #expect(lines.map { String(buffer: $0.bytes) } == lines.map { texts[place..<Int($0.last)].joined() })
        }
        var place: UInt64 = 0
        var batches = 0
        while let (batch, event) = recent.events(after: place) {
            batches += 1
            #expect(event == 0 && batch.bytes.readableBytes == batch.index.length)
            for event in 0..<batch.index.count {
                place += 1
                let isIdentity = place % 50 == 0
                #expect(batch.index.identity(of: event)?.id == (isIdentity ? place : nil))
                #expect(batch.index.subject(of: event) == (isIdentity ? place : upsert(place).identity))
            }
        }
        #expect(place == 2_000)
        // Every 200 events one stands alone that has most of the room for many, and before it those that were gathered.
        #expect(batches < 40)
    }

    @Test func `what was gathered makes room like what was not`() {
        let (whole, texts) = single(2_000)
        var recent = whole
        recent.limit(events: 100, bytes: 1 << 30)
        #expect(recent.last == 2_000 && recent.canResume(after: 1_999))
        let first = (0..<2_000).first { recent.canResume(after: UInt64($0)) }.map { UInt64($0) } ?? 0
        #expect(first > 1_500)
        recent.append(ByteBuffer(string: "next\n"), EventIndex(length: 5))
        #expect(recent.lines(after: 2_000).map { String(buffer: $0.bytes) } == "next\n")
        #expect(recent.lines(after: 1_999).map { String(buffer: $0.bytes).hasPrefix(texts[1_999]) } == true)
        recent.restart(last: 7)
        recent.append(ByteBuffer(string: "other\n"), EventIndex(length: 6))
        #expect(recent.lines(after: 7)?.last == 8 && recent.bytesBehind(7) == 6)
    }
}

extension EventIndex {
    /// That of one event.
    fileprivate init(length: Int) {
        self.init()
        append(.upsert(upsert(1)), end: length)
    }
}
