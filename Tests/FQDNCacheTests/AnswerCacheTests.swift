import DNSWire
import FQDNCache
import Testing

@Suite struct AnswerCacheTests {
    let cache: AnswerCache
    let name: DomainName
    let start = Moment(seconds: 1_000)

    init() throws {
        cache = try AnswerCache(capacity: 1 << 20)
        name = try DomainName("www.example.com")
    }

    @Test func `gives back what was stored, each TTL counted down, never below zero`() throws {
        let message = Message(name, ttls: [300, 60, 0xFFFF])
        let serial = try #require(cache.store(name, message, lifetime: 100, at: start))
        for seconds: UInt32 in [0, 1, 59, 60, 61, 99] {
            let (hit, bytes) = try #require(cache.find(name, at: start.adding(seconds: Int64(seconds))))
            #expect(bytes == message.aged(by: seconds))
            #expect(hit.serial == serial)
            #expect(hit.remaining == 100 - seconds)
            #expect(hit.expires == start.adding(seconds: 100))
            #expect(hit.kind == .positive && hit.carriesAddresses && !hit.isStale)
        }
        #expect(cache.find(name, at: start.adding(seconds: 99).adding(nanoseconds: 999_999_999)) != nil)
        #expect(cache.find(name, at: start.adding(seconds: 100)) == nil)
        #expect(cache.statistics.hits == 7)
        #expect(cache.statistics.misses == 1)
    }

    @Test func `an earlier clock raises no TTL`() throws {
        let message = Message(name, ttls: [300])
        cache.store(name, message, at: start)
        #expect(cache.find(name, at: start.adding(seconds: -50))?.bytes == message.bytes)
    }

    @Test func `a shorter buffer gets the beginning, and is told the length`() throws {
        let message = Message(name, ttls: [300, 300])
        cache.store(name, message, at: start)
        var buffer = [UInt8](repeating: 0xEE, count: Int(message.ttlOffsets[1]) + 2)
        var output = buffer.mutableSpan
        let hit = try #require(
            cache.lookup(NameBuffer(name), AnswerKey(type: .a), now: start.adding(seconds: 10), into: &output))
        #expect(hit.length == message.bytes.count)
        #expect(message.aged(by: 10).starts(with: buffer.dropLast(2)))
    }

    @Test func `what is removed for a question is gone for it alone, with the NXDOMAIN that covers it`() throws {
        func has(_ key: AnswerKey) -> Bool {
            var output = [UInt8](repeating: 0, count: 512)
            var span = output.mutableSpan
            return cache.lookup(NameBuffer(name), key, now: start, into: &span) != nil
        }
        func insert(_ key: AnswerKey, _ kind: AnswerKind) {
            let message = Message(name, ttls: [100])
            cache.insert(
                NameBuffer(name), key, image: message.bytes.span, ttlOffsets: message.ttlOffsets.span,
                StoredAnswer(kind: kind, lifetime: 100), now: start)
        }
        insert(AnswerKey(type: .a), .positive)
        insert(AnswerKey(type: .aaaa), .positive)
        cache.remove(NameBuffer(name), AnswerKey(type: .a))
        #expect(!has(AnswerKey(type: .a)) && has(AnswerKey(type: .aaaa)))
        cache.removeAll()
        insert(AnswerKey(type: AnswerKey.everyType), .nameError)
        #expect(has(AnswerKey(type: .a)))
        cache.remove(NameBuffer(name), AnswerKey(type: .a))
        #expect(!has(AnswerKey(type: .a)))
        #expect(cache.statistics.entries == 0)
    }

    @Test func `keeps types, classes and the DO and CD bits apart`() throws {
        let keys = [
            AnswerKey(type: .a), AnswerKey(type: .aaaa), AnswerKey(type: .a, recordClass: .ch),
            AnswerKey(type: .a, options: .dnssecOK), AnswerKey(type: .a, options: .checkingDisabled),
            AnswerKey(type: .a, options: [.dnssecOK, .checkingDisabled]),
        ]
        for (index, key) in keys.enumerated() {
            var output = [UInt8](repeating: 0, count: 512)
            var span = output.mutableSpan
            #expect(cache.lookup(NameBuffer(name), key, now: start, into: &span) == nil)
            let message = Message(name, ttls: [UInt32(100 + index)])
            cache.insert(
                NameBuffer(name), key, image: message.bytes.span, ttlOffsets: message.ttlOffsets.span,
                StoredAnswer(kind: .positive, lifetime: 100), now: start)
        }
        for (index, key) in keys.enumerated() {
            var output = [UInt8](repeating: 0, count: 512)
            var span = output.mutableSpan
            let hit = try #require(cache.lookup(NameBuffer(name), key, now: start, into: &span))
            #expect(Array(output[..<hit.length]) == Message(name, ttls: [UInt32(100 + index)]).bytes)
        }
        #expect(cache.find(try DomainName("ww.example.com"), at: start) == nil)
    }

    @Test func `what is stored again replaces, under a new serial and with its hits`() throws {
        for (round, extra) in [0, 0, 64, 500, 64].enumerated() {
            let message = Message(name, ttls: [300], extra: extra, mark: UInt8(round))
            let serial = cache.store(name, message, at: start)
            let (hit, bytes) = try #require(cache.find(name, at: start))
            #expect(bytes == message.bytes)
            #expect(hit.serial == serial)
            #expect(hit.hits == UInt32(round + 1))
            #expect(cache.statistics.entries == 1)
        }
    }

    @Test func `stores names whether or not the message has them in canonical form`() throws {
        var message = Message(name, ttls: [300])
        message.bytes[13] = UInt8(ascii: "W")
        cache.store(name, message, at: start)
        #expect(cache.find(name, at: start)?.bytes == message.bytes)
        #expect(cache.listed(page: 10, at: start).map(\.name) == [name])
        let large = cache.statistics.bytesUsed
        cache.store(name, Message(name, ttls: [300]), at: start)
        #expect(cache.statistics.bytesUsed < large)
        #expect(cache.listed(page: 10, at: start).map(\.name) == [name])
    }

    @Test func `an NXDOMAIN covers every type of its name, until something is there`() throws {
        let denial = Message(name, ttls: [60], code: 3)
        cache.store(name, denial, type: AnswerKey.everyType, kind: .nameError, lifetime: 60, at: start)
        #expect(cache.find(name, .a, at: start)?.hit.kind == .nameError)
        #expect(cache.find(name, .mx, at: start)?.bytes == denial.bytes)
        #expect(cache.find(name, .a, options: .dnssecOK, at: start) == nil)
        #expect(cache.find(try DomainName("a.www.example.com"), .a, at: start) == nil)

        cache.store(name, Message(name, ttls: [60]), type: .aaaa, at: start)
        #expect(cache.find(name, .aaaa, at: start)?.hit.kind == .positive)
        #expect(cache.find(name, .mx, at: start) == nil)
        #expect(cache.statistics.entries == 1)
    }

    @Test func `a fresh NXDOMAIN goes before a stale answer`() throws {
        cache.store(name, Message(name, ttls: [10]), lifetime: 10, stale: 100, at: start)
        let later = start.adding(seconds: 20)
        cache.store(
            name, Message(name, ttls: [10], code: 3), type: AnswerKey.everyType, kind: .nameError, lifetime: 10,
            at: later)
        #expect(cache.find(name, allowStale: true, at: later)?.hit.kind == .nameError)
        let muchLater = start.adding(seconds: 40)
        #expect(cache.find(name, allowStale: true, at: muchLater)?.hit.kind == .positive)
    }

    @Test func `stale answers need permission, have TTL 30 throughout, and end`() throws {
        let message = Message(name, ttls: [10, 2, 5_000])
        cache.store(name, message, lifetime: 2, stale: 10, at: start)
        #expect(cache.find(name, allowStale: true, at: start.adding(seconds: 1))?.hit.isStale == false)
        let stale = start.adding(seconds: 2)
        #expect(cache.find(name, at: stale) == nil)
        let (hit, bytes) = try #require(cache.find(name, allowStale: true, at: stale))
        #expect(hit.isStale && hit.remaining == 30)
        #expect(message.ttls(in: bytes) == [30, 30, 30])
        #expect(cache.find(name, allowStale: true, at: start.adding(seconds: 11)) != nil)
        #expect(cache.find(name, allowStale: true, at: start.adding(seconds: 12)) == nil)
        #expect(cache.statistics.staleHits == 2)
    }

    @Test func `a failure displaces no good answer, and is never stale`() throws {
        let failure = Message(name, ttls: [], code: 2)
        cache.store(name, Message(name, ttls: [10]), lifetime: 10, stale: 20, at: start)
        let duringStale = start.adding(seconds: 29)
        #expect(cache.store(name, failure, kind: .failure, lifetime: 5, at: duringStale) == nil)
        #expect(cache.find(name, allowStale: true, at: duringStale)?.hit.kind == .positive)
        let after = start.adding(seconds: 30)
        #expect(cache.store(name, failure, kind: .failure, lifetime: 5, stale: 100, at: after) != nil)
        #expect(cache.find(name, at: after)?.hit.kind == .failure)
        #expect(cache.find(name, allowStale: true, at: after.adding(seconds: 5)) == nil)

        let other = try DomainName("gone.example.com")
        cache.store(other, Message(other, ttls: [60], code: 3), type: AnswerKey.everyType, kind: .nameError, at: start)
        #expect(cache.store(other, failure, kind: .failure, lifetime: 5, at: start) == nil)
        #expect(cache.statistics.rejected == 2)
    }

    @Test func `a refresh is claimed by one at a time`() throws {
        func claim(at seconds: Int64, for duration: UInt32 = 30) -> Bool {
            cache.claimRefresh(
                NameBuffer(name), AnswerKey(type: .a), now: start.adding(seconds: seconds), seconds: duration)
        }
        #expect(!claim(at: 200))
        cache.store(name, Message(name, ttls: [300]), at: start)
        #expect(claim(at: 200))
        #expect(!claim(at: 229))
        #expect(claim(at: 230, for: .max))
        #expect(!claim(at: 1_000_000))
        // What was renewed meanwhile is for nobody to renew again.
        cache.store(name, Message(name, ttls: [300]), at: start.adding(seconds: 300))
        #expect(!claim(at: 300) && !claim(at: 449))
        #expect(claim(at: 450))
    }

    @Test func `refuses what it cannot keep, and counts it`() throws {
        let message = Message(name, ttls: [300])
        var outside = message
        outside.ttlOffsets = [UInt16(message.bytes.count - 3)]
        var header = message
        header.ttlOffsets = [8]
        var short = message
        short.bytes = Array(message.bytes.prefix(11))
        short.ttlOffsets = []
        var long = message
        long.bytes += [UInt8](repeating: 0, count: 65_536)
        var bare = message
        bare.bytes = Array(message.bytes.prefix(13))
        bare.ttlOffsets = [12]
        for bad in [outside, header, short, long, bare] { #expect(cache.store(name, bad, at: start) == nil) }
        #expect(cache.store(name, message, lifetime: 0, at: start) == nil)
        #expect(cache.statistics.rejected == 6)
        #expect(cache.statistics.entries == 0)

        var largest = message
        largest.bytes += [UInt8](repeating: 0, count: 65_535 - message.bytes.count)
        #expect(cache.store(name, largest, at: start) != nil)
        #expect(cache.find(name, at: start)?.bytes == largest.bytes)
        let tiny = try AnswerCache(capacity: 0)
        #expect(tiny.store(name, largest, at: start) == nil)
        #expect(tiny.store(name, message, at: start) != nil)
    }

    @Test func `the root and the longest name are names like others`() throws {
        let label = String(repeating: "a", count: 63)
        let longest = try DomainName("\(label).\(label).\(label).\(label.dropLast(2))")
        #expect(longest.bytes.count == 255)
        for name in [DomainName.root, longest] {
            cache.store(name, Message(name, ttls: [300]), at: start)
            #expect(cache.find(name, at: start)?.bytes == Message(name, ttls: [300]).bytes)
        }
        #expect(Set(cache.listed(page: 1, at: start).map(\.name)) == [.root, longest])
    }

    @Test func `removes by name, and everything`() throws {
        for index in 0..<200 {
            let name = try DomainName("n\(index).\(index % 2 == 0 ? "even" : "odd").example")
            cache.store(name, Message(name, ttls: [300]), at: start)
        }
        let odd = try DomainName("odd.example")
        let removed = cache.remove { name in
            var suffix: [UInt8] = []
            for index in name.indices.suffix(odd.bytes.count) { suffix.append(name[index]) }
            return suffix == odd.bytes
        }
        #expect(removed == 100)
        #expect(cache.statistics.entries == 100)
        #expect(cache.find(try DomainName("n1.odd.example"), at: start) == nil)
        #expect(cache.find(try DomainName("n2.even.example"), at: start) != nil)
        #expect(cache.removeAll() == 100)
        #expect(cache.find(try DomainName("n2.even.example"), at: start) == nil)
        #expect(cache.statistics.bytesUsed == 0)
        cache.store(name, Message(name, ttls: [300]), at: start)
        #expect(cache.find(name, at: start) != nil)
    }

    @Test(arguments: [1, 7, 100_000]) func `lists every answer once, in pages of any size`(page: Int) throws {
        let cache = try AnswerCache(capacity: 4 << 20)
        var names: Set<DomainName> = []
        for index in 0..<500 {
            let name = try DomainName("n\(index).example")
            names.insert(name)
            cache.store(name, Message(name, ttls: [300], code: 3), kind: .nameError, lifetime: 10, stale: 10, at: start)
        }
        let listed = cache.listed(page: page, at: start.adding(seconds: 4))
        #expect(listed.count == 500)
        #expect(Set(listed.map(\.name)) == names)
        #expect(listed.allSatisfy { $0.remaining == 6 && !$0.isStale && $0.responseCode == 3 && $0.kind == .nameError })
        #expect(listed.reduce(0) { $0 + $1.size } == cache.statistics.bytesUsed)
        #expect(cache.listed(page: page, at: start.adding(seconds: 10)).allSatisfy { $0.isStale && $0.remaining == 0 })
        #expect(cache.listed(page: page, at: start.adding(seconds: 20)).isEmpty)
    }

    @Test func `an index that grows loses nothing, for lookups and for a listing that has begun`() throws {
        let names = try (0..<5_000).map { try DomainName("host\($0).example") }
        func store(_ names: some Sequence<DomainName>) {
            for name in names { cache.store(name, Message(name, ttls: [300]), at: start) }
        }
        store(names.prefix(700))
        var listed: Set<DomainName> = []
        let middle = cache.list(from: AnswerCursor(), limit: 400, now: start) { listed.insert($0.name) }
        #expect(listed.count == 400)
        store(names.dropFirst(700))
        var cursor = middle
        while let from = cursor {
            cursor = cache.list(from: from, limit: 100, now: start) { listed.insert($0.name) }
        }
        #expect(listed.isSuperset(of: names.prefix(700)))
        #expect(names.count { cache.find($0, at: start) != nil } == names.count)
        cache.removeAll()
        #expect(cache.listed(page: 100, at: start).isEmpty && cache.find(names[0], at: start) == nil)
        store(names)
        #expect(Set(cache.listed(page: 100, at: start).map(\.name)) == Set(names))
    }
}
