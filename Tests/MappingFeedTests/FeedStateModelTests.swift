import DNSWire
import Testing

@testable import MappingFeed

/// `FeedState` beside a model that keeps every name by itself and computes all openings from scratch.
struct FeedStateModelTests {
    @Test(arguments: 0..<60 as Range<UInt64>)
    func `what changes tell adds up to what a computation from scratch finds`(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        var state = FeedState()
        var model = Model()
        var incoming: Model?
        var mirror: [OpeningKey: FeedOpening] = [:]
        var announced: [UInt64: FeedIdentity] = [:]
        for batch in 0..<120 {
            var events: [FeedEvent] = []
            var inForce: UInt64?
            for number in 0..<(1 + random.below(6)) {
                let event = random.change(UInt64(batch * 10 + number), isInSnapshot: incoming != nil)
                events.append(event)
                switch event {
                case .hello: incoming = nil
                case .snapshotBegin: incoming = Model()
                case .snapshotEnd:
                    guard let new = incoming else { break }
                    (model, incoming, inForce) = (new, nil, event.sequence)
                default:
                    if incoming != nil {
                        incoming?.apply(event)
                    } else {
                        model.apply(event)
                        inForce = event.sequence
                    }
                }
            }
            let changes = state.apply(events)
            for change in changes.openings {
                guard let key = (change.new ?? change.old).map(OpeningKey.init) else { continue }
                #expect(mirror[key] == change.old)
                mirror[key] = change.new
                #expect(change.new == state.opening(key.identity, key.address))
            }
            for change in changes.identities { announced[change.id] = change.new }
            #expect(mirror == model.openings)
            #expect(Dictionary(grouping: state.openings) { OpeningKey($0) }.compactMapValues(\.first) == mirror)
            #expect(announced.mapValues(\.name) == model.identities.mapValues(\.name))
            #expect(changes.sequence == inForce)
        }
    }

    /// Names by themselves.
    struct Model {
        /// The identities that were announced.
        var identities: [UInt64: FeedIdentity] = [:]
        /// What each name of each identity holds.
        var names: [Key: (rules: [MappingRule], addresses: [IPAddress: Double])] = [:]

        /// An identity and a name.
        struct Key: Hashable {
            /// The identity.
            var identity: UInt64
            /// The name.
            var name: DomainName
        }

        /// Applies a change as docs/FEED.md says.
        mutating func apply(_ event: FeedEvent) {
            switch event {
            case .identity(let identity):
                identities[identity.id] = identity.isRemoved ? nil : identity
                if identity.isRemoved { names = names.filter { $0.key.identity != identity.id } }
            case .upsert(let upsert):
                guard identities[upsert.identity] != nil else { return }
                let key = Key(identity: upsert.identity, name: upsert.name)
                names[key, default: ([], [:])].rules = upsert.rules
                for address in upsert.addresses { names[key]?.addresses[address.ip] = address.expires }
            case .delete(let delete):
                let key = Key(identity: delete.identity, name: delete.name)
                for address in delete.addresses { names[key]?.addresses[address] = nil }
            default: break
            }
        }

        /// What is open, computed from scratch.
        var openings: [OpeningKey: FeedOpening] {
            var openings: [OpeningKey: FeedOpening] = [:]
            for (key, (rules, addresses)) in names {
                for (address, expires) in addresses {
                    let ports = PortSet(rules)
                    guard !ports.isEmpty else { continue }
                    let place = OpeningKey(identity: key.identity, address: address)
                    let old = openings[place]
                    openings[place] = FeedOpening(
                        identity: key.identity, address: address, ports: old?.ports.union(ports) ?? ports,
                        expires: max(old?.expires ?? -.infinity, longest(key.identity, address) ?? expires))
                }
            }
            return openings
        }

        /// The latest time at which a name lets go of an address.
        private func longest(_ identity: UInt64, _ address: IPAddress) -> Double? {
            names.filter { $0.key.identity == identity }.values.compactMap { $0.addresses[address] }.max()
        }
    }
}

extension SplitMix {
    /// A change of few identities, names and addresses, so that they meet; now and then a snapshot or a new connection.
    fileprivate mutating func change(_ sequence: UInt64, isInSnapshot: Bool) -> FeedEvent {
        let identity = UInt64(below(3))
        let name = DomainName(canonicalBytes: [1, UInt8(97 + below(4)), 0])
        let addresses = list(4) { IPAddress(ipv4: UInt32(0xC000_0200 + $0.below(5))) }
        switch below(isInSnapshot ? 16 : 40) {
        case 0 where isInSnapshot, 1 where isInSnapshot, 2 where isInSnapshot:
            return .snapshotEnd(SnapshotMark(sequence: sequence, count: 0))
        case 0: return .snapshotBegin(SnapshotMark(sequence: sequence, count: 0))
        case 3: return .hello(FeedHello(instance: "i", sequence: sequence))
        case 4, 5:
            return .identity(
                FeedIdentity(
                    sequence: sequence, id: identity, name: "\(below(3))", namespace: "n", isRemoved: below(4) == 0))
        case 6...10:
            return .delete(
                MappingDelete(
                    sequence: sequence, identity: identity, name: name, addresses: addresses, reason: .expired))
        default:
            return .upsert(
                MappingUpsert(
                    sequence: sequence, identity: identity, client: IPAddress(ipv4: 1), name: name,
                    addresses: addresses.map { MappedAddress(ip: $0, ttl: 1, expires: Double(below(50))) },
                    rules: list(3) {
                        MappingRule(
                            policy: "p",
                            ports: $0.list(3) {
                                MappingPort(
                                    port: UInt16($0.below(4)), endPort: $0.below(3) == 0 ? UInt16($0.below(4)) : nil,
                                    transport: MappingTransport.allCases[$0.below(4)])
                            })
                    }))
        }
    }
}
