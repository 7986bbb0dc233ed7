import DNSWire
import FQDNPolicy
import Testing

@testable import DNSProxy

/// What a worker remembers is exactly what it was told, in the epoch in which it was told.
struct MemoryTests {
    /// A verdict that is not the default of anything.
    private let allowed = Verdict(outcome: .allowed, isSelected: true)

    @Test func `a verdict is remembered for one name, one identity, one transport and one epoch`() throws {
        var memory = DecisionMemory()
        let name = NameBuffer(try DomainName("api.example.com"))
        let other = NameBuffer(try DomainName("www.example.com"))
        let key = DecisionMemory.key(name, identity: 3, transport: .udp)
        memory.store(key, name: name, identity: 3, epoch: 7, verdict: allowed)
        holds(memory.verdict(key, name: name, identity: 3, epoch: 7) == allowed)
        holds(memory.verdict(key, name: name, identity: 3, epoch: 8) == nil)
        holds(memory.verdict(key, name: name, identity: 4, epoch: 7) == nil)
        // Even when the hash is the same, the name has to be.
        holds(memory.verdict(key, name: other, identity: 3, epoch: 7) == nil)
        let overTCP = DecisionMemory.key(name, identity: 3, transport: .tcp)
        holds(memory.verdict(overTCP, name: name, identity: 3, epoch: 7) == nil)
    }

    @Test func `names longer than the memory has room for are judged anew`() throws {
        var memory = DecisionMemory()
        let label = String(repeating: "a", count: 60)
        let name = NameBuffer(try DomainName("\(label).\(label).example"))
        let key = DecisionMemory.key(name, identity: 1, transport: .udp)
        memory.store(key, name: name, identity: 1, epoch: 1, verdict: allowed)
        holds(memory.verdict(key, name: name, identity: 1, epoch: 1) == nil)
    }

    @Test func `a full memory of verdicts forgets and never invents`() throws {
        var memory = DecisionMemory(bits: 4)
        let refused = Verdict(outcome: .denied, isSelected: false)
        let names = try (0..<500).map { try DomainName("name\($0).example") }
        for (number, name) in names.enumerated() {
            let buffer = NameBuffer(name)
            let key = DecisionMemory.key(buffer, identity: number % 3, transport: .udp)
            let verdict = number % 2 == 0 ? allowed : refused
            memory.store(key, name: buffer, identity: number % 3, epoch: 1, verdict: verdict)
            holds(memory.verdict(key, name: buffer, identity: number % 3, epoch: 1) != nil)
        }
        var known = 0
        for (number, name) in names.enumerated() {
            let buffer = NameBuffer(name)
            let key = DecisionMemory.key(buffer, identity: number % 3, transport: .udp)
            guard let verdict = memory.verdict(key, name: buffer, identity: number % 3, epoch: 1) else { continue }
            holds(verdict == (number % 2 == 0 ? allowed : refused))
            known += 1
        }
        #expect((8...16).contains(known))
    }

    @Test func `a memory of verdicts takes room for many when there are many`() throws {
        var memory = DecisionMemory()
        let names = try (0..<5_000).map { try DomainName("name\($0).example") }
        var known = 0
        for round in 1...2 {
            for name in names {
                let buffer = NameBuffer(name)
                let key = DecisionMemory.key(buffer, identity: 1, transport: .udp)
                if memory.verdict(key, name: buffer, identity: 1, epoch: 1) == allowed {
                    known += 1
                } else if round == 1 {
                    memory.store(key, name: buffer, identity: 1, epoch: 1, verdict: allowed)
                }
            }
        }
        // Without those of before it has grown.
        #expect((4_000..<5_000).contains(known))
    }

    @Test func `a memory of answers takes what it knows with it when it grows`() {
        var memory = AcknowledgedMemory()
        for serial in 1...UInt64(5_000) { memory.insert(serial: serial, identity: 1, epoch: 1) }
        let known = (1...UInt64(10_000)).filter { memory.contains(serial: $0, identity: 1, epoch: 1) }
        #expect((4_900...5_000).contains(known.count) && known.allSatisfy { $0 <= 5_000 })
    }

    @Test(arguments: [1, 1_000])
    func `ten thousand names are remembered while they go round, of however many identities`(
        identities: Int
    ) throws {
        var decisions = DecisionMemory()
        var acknowledged = AcknowledgedMemory()
        let names = try (0..<10_000).map { try DomainName("host\($0).example.com") }
        var judged = 0
        var checked = 0
        for round in 1...4 {
            for (number, name) in names.enumerated() {
                let buffer = NameBuffer(name)
                let identity = number % identities
                let key = DecisionMemory.key(buffer, identity: identity, transport: .udp)
                if decisions.verdict(key, name: buffer, identity: identity, epoch: 1) == nil {
                    decisions.store(key, name: buffer, identity: identity, epoch: 1, verdict: allowed)
                    judged += round == 4 ? 1 : 0
                }
                let serial = UInt64(number + 1)
                if !acknowledged.contains(serial: serial, identity: identity, epoch: 1) {
                    acknowledged.insert(serial: serial, identity: identity, epoch: 1)
                    checked += round == 4 ? 1 : 0
                }
            }
        }
        #expect(judged < 400 && checked < 50, "\(judged) \(checked)")
    }

    @Test func `a set of rules is remembered for one policy and the same places`() {
        var memory = RuleSetMemory()
        holds(memory.selection(RulePlaces(), generation: 1) == nil)
        memory.store(RuleSetMemory.Selection(ruleSet: 7, isEmpty: false), for: RulePlaces(), generation: 1)
        holds(memory.selection(RulePlaces(), generation: 1)?.ruleSet == 7)
        holds(memory.selection(RulePlaces(), generation: 2) == nil)
    }

    @Test func `an acknowledged answer is known by serial, identity and epoch, and by nothing less`() {
        var memory = AcknowledgedMemory(bits: 4)
        memory.insert(serial: 11, identity: 2, epoch: 5)
        holds(memory.contains(serial: 11, identity: 2, epoch: 5))
        holds(!memory.contains(serial: 12, identity: 2, epoch: 5))
        holds(!memory.contains(serial: 11, identity: 3, epoch: 5))
        holds(!memory.contains(serial: 11, identity: 2, epoch: 6))
    }

    @Test func `a full memory forgets and never invents`() {
        var memory = AcknowledgedMemory(bits: 4)
        for serial in 1...UInt64(1_000) { memory.insert(serial: serial, identity: 1, epoch: 1) }
        let known = (1...UInt64(2_000)).filter { memory.contains(serial: $0, identity: 1, epoch: 1) }
        #expect(known.count <= 16)
        #expect(known.allSatisfy { $0 <= 1_000 })
        #expect(known.contains(1_000))
    }

    @Test func `a name is noted once, and again in another epoch or behind many others`() {
        var filter = SeenFilter()
        let keys = (UInt64(0)..<50_000).map { ($0 &+ 1) &* 0xD6E8_FEB8_6659_FD93 }
        let noted = keys.prefix(10_000).count { filter.insert($0, epoch: 1) }
        let repeated = keys.prefix(10_000).count { filter.insert($0, epoch: 1) }
        // It may take a new one for another, of 50,000 about one in a thousand.
        #expect((9_995...10_000).contains(noted) && repeated == 0, "\(noted) \(repeated)")
        let rest = keys.dropFirst(10_000).count { filter.insert($0, epoch: 1) }
        #expect((39_900...40_000).contains(rest), "\(rest)")
        // Full: it begins anew.
        for key in keys { _ = filter.insert(key &+ 1, epoch: 1) }
        let again = keys.count { filter.insert($0, epoch: 1) }
        #expect(again > 25_000, "\(again)")
        var second = SeenFilter()
        holds(second.insert(7, epoch: 1) && !second.insert(7, epoch: 1) && second.insert(7, epoch: 2))
    }
}
