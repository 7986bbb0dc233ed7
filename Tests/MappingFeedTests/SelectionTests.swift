import DNSWire
import Testing

@testable import MappingFeed

@Suite(.timeLimit(.minutes(5)))
struct SelectionTests {
    /// An identity in the namespace `a`, with one label.
    private func identity(_ id: UInt64, app: String) -> FeedIdentity {
        FeedIdentity(id: id, name: "id\(id)", namespace: "a", labels: ["app": app])
    }

    /// A subscriber to the identities with the label `app=web`, that has read its snapshot.
    private func web(_ harness: HubHarness, acknowledges: Bool = true) async throws -> RawSubscriber {
        let subscriber = try await RawSubscriber(harness.socket)
        let selector = IdentitySelector(namespace: "a", labels: ["app": "web"])
        let (_, sequence) = try await subscriber.snapshot(
            Subscription(acknowledges: acknowledges, identities: [selector]))
        guard acknowledges else { return subscriber }
        subscriber.send(.ack(sequence))
        try await harness.until { harness.hub.released == sequence }
        return subscriber
    }

    @Test(arguments: [
        (IdentitySelector(), true), (IdentitySelector(namespace: "a"), true), (IdentitySelector(namespace: "b"), false),
        (IdentitySelector(labels: ["app": "web"]), true), (IdentitySelector(labels: ["app": "web", "x": "y"]), false),
        (IdentitySelector(namespace: "a", labels: ["tier": "1", "app": "web"]), true),
        (IdentitySelector(labels: ["tier": ""]), false),
    ])
    func `all conditions of a selector hold`(selector: IdentitySelector, isSelected: Bool) {
        let identity = FeedIdentity(id: 1, name: "n", namespace: "a", labels: ["app": "web", "tier": "1"])
        #expect(selector.selects(identity) == isSelected)
    }

    @Test func `a subscriber gets the identities that it has asked for and nothing else`() async throws {
        let harness = try await HubHarness(chunk: 2)
        harness.hub.announce([identity(1, app: "web"), identity(2, app: "db"), identity(3, app: "web")])
        for number: UInt64 in 0..<9 { harness.publish(number, of: 1 + number % 3) }
        let subscriber = try await RawSubscriber(harness.socket)
        let selectors = [
            IdentitySelector(labels: ["app": "web"]), IdentitySelector(namespace: "b"),
        ]
        let (names, sequence) = try await subscriber.snapshot(Subscription(identities: selectors))
        #expect(names.count == 6)
        #expect(sequence == 12)
        harness.publish(20, of: 2)
        let last = harness.publish(21, of: 3)
        #expect(try await subscriber.changes(1) == [last])
        let nothing = try await RawSubscriber(harness.socket)
        #expect(try await nothing.snapshot(Subscription(identities: [])).names.isEmpty)
        await harness.hub.shutdown()
    }

    @Test func `what is not for a subscriber never waits for its acknowledgement`() async throws {
        let harness = try await HubHarness()
        harness.hub.announce([identity(1, app: "web"), identity(2, app: "db")])
        let subscriber = try await web(harness)
        try await harness.until { harness.hub.released == 2 }
        harness.publish(1, of: 2)
        harness.publish(2, of: 2)
        try await harness.until { harness.hub.released == 4 }
        #expect(harness.publish(3, of: 1) == 5)
        harness.publish(4, of: 2)
        harness.publish(5, of: 2)
        #expect(harness.publish(6, of: 1) == 8)
        #expect(try await subscriber.changes(2) == [5, 8])
        #expect(harness.hub.released == 4)
        subscriber.send(.ack(5))
        try await harness.until { harness.hub.released == 7 }
        subscriber.send(.ack(8))
        try await harness.until { harness.hub.released == 8 }
        harness.publish(9, of: 2)
        try await harness.until { harness.hub.released == 9 }
        let status = try #require(await harness.hub.subscribers.first)
        #expect(status.acknowledged == 9)
        #expect(status.eventsBehind == 0)
        #expect(status.selects)
        await harness.hub.shutdown()
    }

    @Test func `a ping carries the number up to which a subscriber may acknowledge`() async throws {
        let harness = try await HubHarness { $0.pingInterval = .milliseconds(10) }
        harness.hub.announce([identity(1, app: "web"), identity(2, app: "db")])
        let subscriber = try await RawSubscriber(harness.socket)
        _ = await subscriber.next()
        subscriber.send(.subscribe(Subscription(acknowledges: true, identities: [])))
        let last = harness.publish(1, of: 2)
        while let event = try await subscriber.event(), event != .ping(last) {}
        subscriber.send(.ack(last))
        try await harness.until { harness.hub.counters.acks == 1 }
        #expect(harness.hub.counters.disconnects.isEmpty)
        await harness.hub.shutdown()
    }

    @Test func `an identity that is no longer selected ends`() async throws {
        let harness = try await HubHarness()
        harness.hub.announce([identity(1, app: "web")])
        let subscriber = try await web(harness)
        let last = harness.hub.announce([identity(1, app: "db")])
        let gone = FeedIdentity(sequence: last, id: 1, name: "id1", namespace: "a", isRemoved: true)
        #expect(try await subscriber.event() == .identity(gone))
        harness.publish(1, of: 1)
        _ = harness.hub.withdrawIdentities(except: [])
        let next = harness.hub.announce([identity(7, app: "web")])
        #expect(try await subscriber.changes(1) == [next])
        #expect(harness.hub.released == last - 1)
        await harness.hub.shutdown()
    }

    @Test func `an identity that becomes selected comes with its mappings`() async throws {
        let harness = try await HubHarness(chunk: 1)
        harness.hub.announce([identity(1, app: "db"), identity(2, app: "web")])
        for number: UInt64 in 0..<6 { harness.publish(number, of: 1 + number % 2) }
        let subscriber = try await web(harness)
        try await harness.until { harness.hub.released == 8 }
        let changed = harness.hub.announce([identity(1, app: "web")])
        #expect(try await subscriber.event() == .snapshotBegin(SnapshotMark(sequence: changed, count: 0)))
        let (names, sequence) = try await subscriber.snapshotRest()
        #expect(names.count == 6)
        #expect(sequence == changed)
        #expect(harness.hub.released == changed - 1, "what the snapshot brings waits for its acknowledgement")
        subscriber.send(.ack(sequence))
        try await harness.until { harness.hub.released == changed }
        let next = harness.publish(9, of: 1)
        #expect(try await subscriber.changes(1) == [next])
        await harness.hub.shutdown()
    }

    @Test func `who selects resumes if no identity has changed since`() async throws {
        let harness = try await HubHarness()
        harness.hub.announce([identity(1, app: "web"), identity(2, app: "db")])
        harness.publish(1, of: 1)
        harness.publish(2, of: 2)
        harness.publish(3, of: 1)
        try await harness.until { harness.hub.released == 5 }
        for place: UInt64 in [2, 1] {
            let subscriber = try await RawSubscriber(harness.socket)
            _ = await subscriber.next()
            subscriber.send(
                .subscribe(
                    Subscription(
                        resume: FeedPosition(instance: harness.hub.instance, sequence: place),
                        identities: [IdentitySelector(labels: ["app": "web"])])))
            if place == 2 {
                #expect(try await subscriber.changes(2) == [3, 5])
            } else {
                #expect(try await subscriber.event() == .snapshotBegin(SnapshotMark(sequence: 5, count: 0)))
            }
        }
        await harness.hub.shutdown()
    }

    @Test(arguments: UInt64(1)...12)
    func `whatever happens, the view of a subscriber is what it has asked for`(seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let harness = try await HubHarness(chunk: 1 + random.below(4))
        let subscriber = try await RawSubscriber(harness.socket)
        _ = await subscriber.next()
        subscriber.send(
            .subscribe(Subscription(acknowledges: true, identities: [IdentitySelector(labels: ["app": "web"])])))
        var identities: [UInt64: FeedIdentity] = [:]
        for _ in 0..<600 {
            let id = UInt64(1 + random.below(5))
            switch random.below(12) {
            case 0:
                identities[id] = identity(id, app: random.below(2) == 0 ? "web" : "db")
                harness.hub.announce(identities.values)
            case 1:
                let last = harness.table.mappings.withLock { mappings in
                    for mapping in mappings.values where mapping.identity == id {
                        mappings[mapping.name] = nil
                        _ = harness.hub.publish(
                            MappingDelete(
                                identity: id, name: mapping.name, addresses: mapping.addresses.map(\.ip),
                                reason: .policy))
                    }
                    identities[id] = nil
                    return harness.hub.withdrawIdentities(except: Set(identities.keys))
                }
                if last > 0, random.below(3) == 0 { try await harness.until { harness.hub.counters.queued == 0 } }
            default:
                guard identities[id] != nil else { continue }
                // Each identity has names of its own, as the table's key says.
                harness.publish(UInt64(random.below(8)) * 8 + id, of: id)
            }
        }
        let end = harness.hub.announce([identity(99, app: "web")])
        var view: [UInt64: Set<DomainName>] = [:]
        var isWhole = false
        while !(isWhole && view[99] != nil), let event = try await subscriber.event() {
            switch event {
            case .snapshotBegin: (view, isWhole) = ([:], false)
            case .snapshotEnd: isWhole = true
            case .identity(let identity): view[identity.id] = identity.isRemoved ? nil : view[identity.id] ?? []
            case .upsert(let upsert):
                #expect(view[upsert.identity] != nil, "an identity precedes its mappings")
                view[upsert.identity]?.insert(upsert.name)
            case .delete(let delete): view[delete.identity]?.remove(delete.name)
            default: break
            }
            if isWhole, let sequence = event.sequence { subscriber.send(.ack(sequence)) }
        }
        let all = harness.table.mappings.withLock { $0.values.map { ($0.identity, $0.name) } }
        for (id, identity) in identities {
            let isSelected = identity.labels["app"] == "web"
            #expect(view[id] == (isSelected ? Set(all.filter { $0.0 == id }.map(\.1)) : nil))
        }
        let selected = identities.values.filter { $0.labels["app"] == "web" }
        #expect(Set(view.keys).subtracting([99]) == Set(selected.map(\.id)))
        try await harness.until { harness.hub.released == end }
        await harness.hub.shutdown()
    }

    @Test func `what is owed is told apart up to a limit, and never forgotten`() {
        var pending = PendingAcknowledgements()
        #expect(pending.confirmed(sent: 10) == 10)
        pending.expect(5...6)
        pending.expect(7...7)
        pending.expect(9...9)
        #expect(pending.confirmed(sent: 10) == 4)
        pending.settle(5)
        #expect(pending.confirmed(sent: 10) == 5)
        pending.settle(7)
        #expect(pending.confirmed(sent: 10) == 8)
        pending.settle(9)
        #expect(pending.confirmed(sent: 10) == 10)
        let limit = UInt64(PendingAcknowledgements.limit)
        for number in 0..<(3 * limit) { pending.expect((100 + 2 * number)...(100 + 2 * number)) }
        let end = 100 + 6 * limit
        pending.settle(100 + 2 * limit)
        #expect(pending.confirmed(sent: end) < end)
        pending.settle(end - 2)
        #expect(pending.confirmed(sent: end) == end)
    }
}
