import DNSWire
import FQDNCache
import Testing

@Suite struct AnswerCacheModelTests {
    /// What a dictionary would hold.
    private struct Stored {
        var message: Message
        var serial: UInt64
        var storedAt: Moment
        var lifetime: UInt32
    }

    @Test(arguments: 1...4) func `never gives anything but what was stored last`(seed: UInt64) throws {
        // One shard of 64 KiB and messages of up to 5 KB: the logs start over every few dozen insertions.
        let cache = try AnswerCache(capacity: 65_536)
        var dice = Dice(seed)
        var model: [String: Stored] = [:]
        var now = Moment(seconds: 50)
        let names = try (0..<400).map { try DomainName("host\($0).pressure.example") }
        var hits = 0
        for step in 0..<8_000 {
            now = now.adding(nanoseconds: Int64.random(in: 0..<200_000_000, using: &dice))
            // Half of the questions are for a tenth of the names.
            let number = dice.percent(50) ? Int.random(in: 0..<40, using: &dice) : Int.random(in: 0..<400, using: &dice)
            let type: RecordType = dice.percent(70) ? .a : .aaaa
            let (name, key) = (names[number], "\(number) \(type)")
            switch Int.random(in: 0..<100, using: &dice) {
            case 0..<45:
                let extra =
                    dice.percent(5) ? Int.random(in: 0..<5_000, using: &dice) : Int.random(in: 0..<80, using: &dice)
                let ttls = (0..<Int.random(in: 0..<4, using: &dice)).map { _ in UInt32.random(in: 0...400, using: &dice)
                }
                let message = Message(name, ttls: ttls, extra: extra, mark: UInt8(truncatingIfNeeded: step))
                let lifetime = UInt32.random(in: 1...60, using: &dice)
                let serial = try #require(cache.store(name, message, type: type, lifetime: lifetime, at: now))
                model[key] = Stored(message: message, serial: serial, storedAt: now, lifetime: lifetime)
            case 45..<99:
                guard let (hit, bytes) = cache.find(name, type, at: now) else { continue }
                hits += 1
                let stored = try #require(model[key], "a hit for what was never stored, or removed")
                #expect(hit.serial == stored.serial)
                #expect(now < stored.storedAt.adding(seconds: Int64(stored.lifetime)))
                #expect(bytes == stored.message.aged(by: UInt32(now.seconds(since: stored.storedAt))))
            default:
                let removed = names[number].bytes
                _ = cache.remove { span in
                    span.count == removed.count && span.indices.allSatisfy { span[$0] == removed[$0] }
                }
                model["\(number) A"] = nil
                model["\(number) AAAA"] = nil
            }
            if step % 200 == 0 {
                let statistics = cache.statistics
                let listed = cache.listed(page: 64, at: now)
                #expect(statistics.bytesUsed <= statistics.capacity && statistics.capacity <= 65_536)
                #expect(listed.count <= statistics.entries)
                for answer in listed {
                    let number = String(decoding: answer.name.bytes[5..<1 + Int(answer.name.bytes[0])], as: UTF8.self)
                    #expect(answer.image == model["\(number) \(answer.key.type)"]?.message.bytes)
                }
            }
        }
        #expect(hits > 500)
        #expect(cache.statistics.evictions + cache.statistics.expirations > 500)
        _ = cache.remove { _ in true }
        #expect(cache.statistics.entries == 0 && cache.statistics.bytesUsed == 0)
    }

    @Test func `is filled by answers that nobody asks for again, too`() throws {
        let cache = try AnswerCache(capacity: 1 << 20)
        let now = Moment(seconds: 1)
        for index in 0..<20_000 {
            let name = try DomainName("a-name-of-30-bytes\(100_000 + index).ex")
            cache.store(name, Message(name, ttls: [300]), at: now)
        }
        let statistics = cache.statistics
        // At most 110 bytes of all memory for an A answer whose name has 30 bytes.
        #expect(statistics.capacity / statistics.entries <= 110)
        #expect(statistics.evictions == 20_000 - UInt64(statistics.entries))
    }

    @Test func `what is asked for again is not displaced by names that come back after a while`() throws {
        let cache = try AnswerCache(capacity: 1 << 20)
        let now = Moment(seconds: 1)
        /// Asks for a name, stores it if need be, and tells whether it was there.
        func ask(_ text: String) throws -> Bool {
            let name = try DomainName(text)
            guard cache.find(name, at: now) == nil else { return true }
            cache.store(name, Message(name, ttls: [300], extra: 60), at: now)
            return false
        }
        let wanted = (0..<500).map { "wanted\($0).example" }
        let flood = (0..<9_000).map { "flood\($0).example" }
        for name in wanted + wanted + flood[..<2_000] + wanted + flood[2_000...] { _ = try ask(name) }
        // They have left the cache, and are remembered: each goes to the main log, at whose end is what is wanted.
        for name in flood[7_000..<7_100] { _ = try ask(name) }
        #expect(try wanted.filter { try !ask($0) } == [])
        // And they have come in.
        #expect(try flood[7_000..<7_100].filter { try ask($0) }.count > 90)
    }

    @Test func `keeps more of a working set than LRU does under a flood of names asked once`() throws {
        // Zipf(0.9) over 20,000 names, a cache for about 2,000; half of all questions are for names never repeated.
        let names = try (0..<20_000).map { try DomainName("name\(100_000 + $0).zipf.example") }
        var weights: [Double] = []
        var sum = 0.0
        for rank in 0..<names.count {
            sum += 1 / power(Double(rank + 1))
            weights.append(sum)
        }
        let cache = try AnswerCache(capacity: 256 << 10)
        var dice = Dice(7)
        var lru = LeastRecentlyUsed()
        var (asked, hits, lruHits) = (0, 0, 0)
        let now = Moment(seconds: 1)
        for step in 0..<100_000 {
            let isFlood = dice.percent(50)
            let number: Int
            if isFlood {
                number = names.count + step
            } else {
                let target = Double.random(in: 0..<sum, using: &dice)
                var (low, high) = (0, names.count - 1)
                while low < high {
                    let middle = (low + high) / 2
                    if weights[middle] < target { low = middle + 1 } else { high = middle }
                }
                number = low
            }
            let name = isFlood ? try DomainName("name\(100_000 + number).zipf.example") : names[number]
            var output = InlineOutput()
            let hit = output.lookup(cache, name, now)
            if !hit { cache.store(name, Message(name, ttls: [300]), at: now) }
            // As many entries as the cache itself holds: the comparison is of the choice, not of the size.
            let lruHit = lru.access(number, capacity: max(cache.statistics.entries, 1))
            if !isFlood, step > 40_000 {
                asked += 1
                if hit { hits += 1 }
                if lruHit { lruHits += 1 }
            }
        }
        let (ratio, lruRatio) = (Double(hits) / Double(asked), Double(lruHits) / Double(asked))
        #expect(ratio > lruRatio + 0.05, "S3-FIFO \(ratio), LRU \(lruRatio)")
    }

    /// `rank` to the power of 0.9, without a mathematics library: the tenth root by Newton's method.
    private func power(_ rank: Double) -> Double {
        var root = 1 + rank.squareRoot() / 10
        for _ in 0..<60 {
            var ninth = 1.0
            for _ in 0..<9 { ninth *= root }
            root -= (root * ninth - rank) / (10 * ninth)
        }
        return rank / root
    }
}

/// A buffer that is used for many lookups.
private struct InlineOutput {
    private var bytes = [UInt8](repeating: 0, count: 512)

    /// Whether the cache has the A record of a name.
    mutating func lookup(_ cache: AnswerCache, _ name: DomainName, _ now: Moment) -> Bool {
        var output = bytes.mutableSpan
        return cache.lookup(NameBuffer(name), AnswerKey(type: .a), now: now, into: &output) != nil
    }
}

/// The textbook policy: whatever was used longest ago goes.
private struct LeastRecentlyUsed {
    /// When each key was used last.
    private var uses: [Int: Int] = [:]
    /// Uses in order, those that were repeated since included.
    private var order: [(key: Int, use: Int)] = []
    /// Where the order starts.
    private var first = 0

    /// Uses a key, making room if it is new, and tells whether it was there.
    mutating func access(_ key: Int, capacity: Int) -> Bool {
        let isKnown = uses[key] != nil
        uses[key] = order.count
        order.append((key, order.count))
        while uses.count > capacity {
            let oldest = order[first]
            if uses[oldest.key] == oldest.use { uses[oldest.key] = nil }
            first += 1
        }
        return isKnown
    }
}
